// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Closed forms against central differences of the library's own losses, on seq in long double.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <accuracy/samples.hpp>
#include <gradient/stencil.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace {

using numbers = std::vector<long double>;
constexpr divot::index rows = 3, classes = 5;
constexpr long double absent = -std::numeric_limits<long double>::infinity();

struct le_cam {
  static constexpr double at_zero = 0.5, slope_at_infinity = 0.5;
  template <class T>
  static T f(T u) {
    return (T(1) - u) * (T(1) - u) / (T(2) * (T(1) + u));
  }
};

divot::matrix_ref<long double const> view(numbers const& x) { return {x.data(), rows, classes}; }

struct problem {
  numbers teacher, student;
  double teacher_temperature = 1, student_temperature = 1;
  std::vector<std::int64_t> labels{0, 3, 2};
  std::vector<double> weights{1, 0.4, 2}, upstream{1, -2, 0.5};

  problem(std::uint64_t seed, double scale, double tt, double ts)
      : teacher_temperature(tt), student_temperature(ts) {
    samples::random r(seed);
    for (divot::index i = 0; i < rows * classes; ++i) {
      teacher.push_back(scale * r.normal());
      student.push_back(scale * r.normal());
    }
  }
  divot::batch options() const {
    divot::batch b;
    b.weights = weights;
    b.labels = labels;
    return b;
  }
};

template <class Loss>
long double value(Loss const& what, problem const& given) {
  return divot::value(
      divot::seq, what, divot::logits(view(given.teacher), given.teacher_temperature),
      divot::logits(view(given.student), given.student_temperature), given.options());
}

/// Both vectors agree to the accuracy of the differences.
void agree(numbers const& got, numbers const& differences, double bound) {
  long double error = 0, size = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    error = std::max(error, std::fabs(got[i] - differences[i]));
    size = std::max(size, std::fabs(differences[i]));
  }
  CHECK(static_cast<double>(error) <= bound * static_cast<double>(size + 1e-3L));
}

/// Moving one side's entries; missing classes stay where they are and their gradient is 0.
template <class Loss>
numbers moved(Loss const& what, problem const& given, numbers problem::*side) {
  return stencil::gradient(
      [&](numbers const& x) {
        problem p = given;
        p.*side = x;
        return value(what, p);
      },
      given.*side);
}

template <class Loss>
void check(std::string const& name, Loss const& what, problem const& given, double bound = 1e-10) {
  CAPTURE(name);
  numbers g(given.student.size()), h(given.teacher.size());
  divot::matrix_ref<long double> const to_g(g.data(), rows, classes), to_h(h.data(), rows, classes);
  divot::temperature_gradient t;
  divot::value_and_gradient(
      divot::seq, what, divot::logits(view(given.teacher), given.teacher_temperature),
      divot::logits(view(given.student), given.student_temperature),
      divot::gradients().student(to_g).teacher(to_h).temperature(t), given.options());
  {
    INFO("student");
    agree(g, moved(what, given, &problem::student), bound);
  }
  {
    INFO("teacher");
    agree(h, moved(what, given, &problem::teacher), bound);
  }
  auto const by_temperature = [&](double problem::*side) {
    return stencil::slope([&](long double step) {
      problem p = given;
      p.*side += static_cast<double>(step);
      return value(what, p);
    });
  };
  INFO("temperatures");
  agree({t.student}, {by_temperature(&problem::student_temperature)}, 10 * bound);
  agree({t.teacher}, {by_temperature(&problem::teacher_temperature)}, 10 * bound);
}

template <class Check>
void every_divergence(Check const& with) {
  with("kl", divot::kl{});
  with("reverse_kl", divot::reverse_kl{});
  with("jeffreys", divot::jeffreys{});
  with("jensen_shannon", divot::jensen_shannon{});
  with("skew_js(.2)", divot::skew_js{.teacher_weight = 0.2});
  with("skew_kl(.1)", divot::skew_kl{.teacher_weight = 0.1});
  with("reverse(skew_kl(.3))", divot::reverse(divot::skew_kl{.teacher_weight = 0.3}));
  with("squared_hellinger", divot::squared_hellinger{});
  with("skew(squared_hellinger, .5)", divot::skew(divot::squared_hellinger{}, 0.5));
  with("pearson", divot::pearson{});
  with("neyman", divot::neyman{});
  with("total_variation", divot::total_variation{});
  with("alpha(.3)", divot::alpha{.alpha = 0.3});
  with("alpha_beta(.2, .7)", divot::alpha_beta{.alpha = 0.2, .beta = 0.7});
  with("alpha_beta(1.5, -.2)", divot::alpha_beta{.alpha = 1.5, .beta = -0.2});
  with("alpha_beta(0, 0)", divot::alpha_beta{.alpha = 0, .beta = 0});
  with("le_cam", divot::f_divergence<le_cam>{});
  with("soft_cross_entropy", divot::soft_cross_entropy{});
}

}  // namespace

TEST_CASE("gradients of every divergence are the slopes of its loss") {
  std::uint64_t seed = 0;
  struct setting {
    double scale, teacher_temperature, student_temperature;
  };
  for (setting const& s :
       {setting{0.3, 1, 1}, setting{1.5, 1, 1}, setting{3, 2, 2}, setting{2, 1.5, 3}}) {
    CAPTURE(s.scale);
    problem const given(++seed, s.scale, s.teacher_temperature, s.student_temperature);
    every_divergence([&](char const* name, auto const& what) {
      // the ratio's square has fifth derivatives in the thousands
      bool const steep = std::string(name) == "pearson" || std::string(name) == "neyman";
      check(name, what, given, steep ? 1e-8 : 1e-10);
    });
  }
}

TEST_CASE("gradients near convergence are the slopes of the loss") {
  problem given(50, 2, 2, 2);
  samples::random r(51);
  given.student = given.teacher;
  for (auto& x : given.student) x += 0.05L * r.normal() + 7;
  every_divergence([&](char const* name, auto const& what) {
    // a step across the kink of total variation has no slope
    if (std::string(name) != "total_variation") check(name, what, given);
  });
}

TEST_CASE("gradients of skews are the slopes of the loss on either side of a kink") {
  for (std::uint64_t seed = 57; seed < 61; ++seed) {
    problem const given(seed, 3, 1, 1);
    CAPTURE(seed);
    for (double weight : {0.1, 0.5, 0.9, 0.97}) {
      CAPTURE(weight);
      auto const both = [&](char const* name, auto const& what) {
        check(name, divot::skew(what, weight), given, 1e-7);
        check(name, divot::reverse(divot::skew(what, weight)), given, 1e-7);
      };
      both("pearson", divot::pearson{});
      both("reverse_kl", divot::reverse_kl{});
      both("jeffreys", divot::jeffreys{});
      both("arithmetic_geometric", divot::arithmetic_geometric{});
      both("jensen_shannon", divot::jensen_shannon{});
      both("neyman", divot::neyman{});
      both("total_variation", divot::total_variation{});
      both("marton", divot::marton{});
      both("vajda(2.5)", divot::vajda{.order = 2.5});
      both("vajda(3)", divot::vajda{.order = 3});
      both("hockey_stick(1.2)", divot::hockey_stick{.threshold = 1.2});
    }
  }
}

TEST_CASE("gradients of label losses are the slopes of the loss") {
  problem const given(60, 2, 1, 1);
  check("cross_entropy", divot::cross_entropy{}, given);
  check("cross_entropy(.1)", divot::cross_entropy{.smoothing = 0.1}, given);
  check("cross_entropy with z-loss", divot::cross_entropy{.smoothing = 0.2, .z_loss = 0.01}, given);
  check("z_loss", divot::z_loss{}, given);
  problem const warm(61, 2, 2, 3);
  check("cross_entropy at a temperature", divot::cross_entropy{.z_loss = 0.01}, warm);
}

TEST_CASE("gradients of sums are the slopes of the sum") {
  for (auto const& given : {problem(70, 2, 1, 1), problem(71, 2, 1.5, 3)}) {
    check("0.3 kl + 0.7 reverse_kl", 0.3 * divot::kl{} + 0.7 * divot::reverse_kl{}, given);
    check("ce + kl at 4 + tv at 2",
          0.1 * divot::cross_entropy{.smoothing = 0.1, .z_loss = 0.01} +
              0.9 * divot::at(4, divot::kl{}, divot::t_squared) +
              -1.5 * divot::at(2, divot::total_variation{}),
          given);
    check("-2 jensen_shannon", -2 * divot::jensen_shannon{}, given);
  }
}

TEST_CASE("classes missing on one side or both have the slopes of the loss") {
  problem given(80, 1.5, 1, 1);
  given.teacher[1] = absent;                       // the teacher's alone
  given.student[5 + 2] = absent;                   // the student's alone
  given.teacher[10] = given.student[10] = absent;  // both
  given.labels = {0, 3, 2};
  auto const missing_anywhere = [&](char const* name, auto const& what) {
    CAPTURE(name);
    numbers g(given.student.size()), h(given.teacher.size());
    divot::matrix_ref<long double> const to_g(g.data(), rows, classes);
    divot::matrix_ref<long double> const to_h(h.data(), rows, classes);
    divot::value_and_gradient(divot::seq, what, view(given.teacher), view(given.student),
                              divot::gradients().student(to_g).teacher(to_h), given.options());
    agree(g, moved(what, given, &problem::student), 1e-10);
    agree(h, moved(what, given, &problem::teacher), 1e-10);
    CHECK(g[5 + 2] == 0);
    CHECK(g[10] == 0);
    CHECK(h[1] == 0);
    CHECK(h[10] == 0);
  };
  missing_anywhere("jensen_shannon", divot::jensen_shannon{});
  missing_anywhere("skew_js", divot::skew_js{.teacher_weight = 0.2});
  missing_anywhere("skew_kl", divot::skew_kl{});
  missing_anywhere("reverse(skew_kl)", divot::reverse(divot::skew_kl{.teacher_weight = 0.3}));
  missing_anywhere("squared_hellinger", divot::squared_hellinger{});
  missing_anywhere("total_variation", divot::total_variation{});
  missing_anywhere("alpha_beta(.2, .7)", divot::alpha_beta{.alpha = 0.2, .beta = 0.7});
  missing_anywhere("le_cam", divot::f_divergence<le_cam>{});
}

TEST_CASE("upstream gradients, weights and reductions multiply the slopes") {
  problem const given(90, 1.5, 1, 1);
  for (auto const way : {divot::reduction::mean, divot::reduction::sum, divot::reduction::none}) {
    numbers plain(given.student.size()), g(given.student.size());
    divot::matrix_ref<long double> const to(g.data(), rows, classes);
    divot::matrix_ref<long double> const first(plain.data(), rows, classes);
    divot::batch options;
    options.reduction = divot::reduction::sum;
    divot::gradient(divot::seq, divot::kl{}, view(given.teacher), view(given.student), first,
                    options);
    options.reduction = way;
    options.weights = given.weights;
    options.upstream = given.upstream;
    divot::gradient(divot::seq, divot::kl{}, view(given.teacher), view(given.student), to, options);
    for (std::size_t i = 0; i < g.size(); ++i) {
      std::size_t const r = i / classes;
      long double const factor = static_cast<long double>(given.weights[r]) * given.upstream[r] /
                                 (way == divot::reduction::mean ? 3 : 1);
      CHECK(static_cast<double>(g[i]) ==
            doctest::Approx(static_cast<double>(factor * plain[i])).epsilon(1e-15));
    }
  }
}

TEST_CASE("a student given as probabilities has the slopes along every direction of mass 0") {
  problem const given(100, 1, 1, 1);
  numbers q(given.student.size());
  for (divot::index r = 0; r < rows; ++r) {
    long double total = 0;
    for (divot::index k = 0; k < classes; ++k) {
      auto const i = static_cast<std::size_t>(r * classes + k);
      q[i] = std::exp(given.student[i]);
      total += q[i];
    }
    for (divot::index k = 0; k < classes; ++k)
      q[static_cast<std::size_t>(r * classes + k)] /= total;
  }
  auto const tangent = [&](char const* name, auto const& what) {
    CAPTURE(name);
    numbers g(q.size());
    divot::matrix_ref<long double> const to(g.data(), rows, classes);
    divot::gradient(divot::seq, what, view(given.teacher), divot::probabilities(view(q)), to);
    for (divot::index r = 0; r < rows; ++r) {
      for (divot::index k = 1; k < classes; ++k) {
        auto const i = static_cast<std::size_t>(r * classes), j = i + static_cast<std::size_t>(k);
        long double const slope = stencil::slope(
            [&](long double h) {
              numbers x = q;
              x[i] += h;
              x[j] -= h;
              return static_cast<long double>(divot::value(divot::seq, what, view(given.teacher),
                                                           divot::probabilities(view(x))));
            },
            0x1p-14L);
        CHECK(static_cast<double>(g[i] - g[j]) ==
              doctest::Approx(static_cast<double>(slope)).epsilon(1e-8));
      }
    }
  };
  tangent("kl", divot::kl{});
  tangent("reverse_kl", divot::reverse_kl{});
  tangent("jensen_shannon", divot::jensen_shannon{});
  tangent("alpha_beta(.2, .7)", divot::alpha_beta{.alpha = 0.2, .beta = 0.7});
  tangent("squared_hellinger", divot::squared_hellinger{});
}

TEST_CASE("derivatives in alpha and beta are the slopes of the loss") {
  problem const given(110, 1.5, 1, 2);
  struct point {
    double alpha, beta;
  };
  for (point const& p :
       {point{0.2, 0.7}, point{0.5, 0.5}, point{1, 0}, point{0, 1}, point{0, 0}, point{1, -1},
        point{-0.5, 1.2}, point{2, -1}, point{0.3, -0.3}, point{-0.4, -0.3}}) {
    CAPTURE(p.alpha);
    CAPTURE(p.beta);
    std::array<double, 2> got{};
    divot::value_and_gradient(divot::seq,
                              -0.5 * divot::alpha_beta{.alpha = p.alpha, .beta = p.beta},
                              divot::logits(view(given.teacher), given.teacher_temperature),
                              divot::logits(view(given.student), given.student_temperature),
                              divot::gradients().parameters(got), given.options());
    auto const at = [&](double a, double b) {
      return value(-0.5 * divot::alpha_beta{.alpha = a, .beta = b}, given);
    };
    auto const by_alpha =
        stencil::slope([&](long double h) { return at(p.alpha + static_cast<double>(h), p.beta); });
    auto const by_beta =
        stencil::slope([&](long double h) { return at(p.alpha, p.beta + static_cast<double>(h)); });
    CHECK(got[0] == doctest::Approx(static_cast<double>(by_alpha)).epsilon(1e-9));
    CHECK(got[1] == doctest::Approx(static_cast<double>(by_beta)).epsilon(1e-9));
  }
}
