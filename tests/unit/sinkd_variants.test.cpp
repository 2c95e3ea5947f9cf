// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// sinkd's objectives, routes, costs, sequences and debiased form.

#include <doctest/doctest.h>
#include <divot/sinkd.hpp>
#include <divot/sinkd_limit.hpp>
#include <divot/sinkhorn.hpp>
#include <unit/refusal.hpp>
#include <unit/row_samples.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using narrow = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using divot::mass;
using divot::route;
constexpr auto sum = divot::reduction::sum;
constexpr auto entropic = divot::transport_objective::entropic;
constexpr auto transport_cost = divot::transport_objective::transport_cost;

matrix random(divot::index rows, divot::index cols, unsigned seed, double scale = 2) {
  return random_rows(rows, cols, seed, scale);
}
template <class Of>
matrix costs(matrix const& x, matrix const& y, Of const& of) {
  return matrix::NullaryExpr(x.rows(), y.rows(), [&](Eigen::Index i, Eigen::Index j) {
    return of((x.row(i) - y.row(j)).eval());
  });
}
matrix l1_costs(matrix const& t, matrix const& s, double temperature = 2) {
  return costs(softmax_rows(s, temperature), softmax_rows(t, temperature),
               [](auto const& d) { return d.cwiseAbs().sum(); });
}
/// The value of so many sweeps (0: very many), as the definition says it.
double reference(divot::sinkd const& what, matrix const& c) {
  matrix p = (-c / what.epsilon).array().exp();
  double const each = what.mass == mass::probability ? 1. / static_cast<double>(c.rows()) : 1;
  for (int k = 0; k < (what.sweeps > 0 ? what.sweeps : 20000); ++k) {
    for (Eigen::Index i = 0; i < p.rows(); ++i) p.row(i) *= each / p.row(i).sum();
    for (Eigen::Index j = 0; j < p.cols(); ++j) p.col(j) *= each / p.col(j).sum();
  }
  double const paid = p.cwiseProduct(c).sum();
  if (what.objective == transport_cost) return paid;
  double const both = each * each;
  auto const kl = p.array() * (p.array() / both).log() - p.array() + both;
  return paid + what.epsilon * kl.sum();
}

double off(matrix const& gradient, matrix const& at, std::function<double(matrix const&)> const& f,
           double step = 1e-5) {
  return gradient_error(gradient, at, f, step);
}
/// Both sides' gradients against central differences.
template <class L>
void check_gradients(L const& what, matrix const& t, matrix const& s, divot::batch const& options,
                     double step = 1e-5) {
  matrix g(s.rows(), s.cols()), h(t.rows(), t.cols());
  divot::gradient(what, t, s, divot::gradients().student(g).teacher(h), options);
  CHECK(off(
            g, s, [&](matrix const& x) { return divot::value(what, t, x, options); }, step) <=
        1e-6);
  CHECK(off(
            h, t, [&](matrix const& x) { return divot::value(what, x, s, options); }, step) <=
        1e-6);
}

TEST_CASE("values are those of the definition, and of sinkhorn on the same costs") {
  matrix const t = random(6, 5, 1), s = random(6, 5, 2), c = l1_costs(t, s);
  for (double const epsilon : {1., .1, .03}) {
    for (auto const each : {mass::one_per_sample, mass::probability}) {
      Eigen::VectorXd const masses =
          Eigen::VectorXd::Constant(6, each == mass::probability ? 1. / 6 : 1);
      for (int const sweeps : {0, 1, 7}) {
        divot::sinkd what{.epsilon = epsilon, .sweeps = sweeps, .mass = each, .tolerance = 1e-13};
        if (sweeps == 0) what.gradient = route::implicit;
        auto const solved = divot::sinkhorn(
            c, masses, masses, {.epsilon = epsilon, .tolerance = 1e-13, .sweeps = sweeps});
        for (auto const of : {entropic, transport_cost}) {
          what.objective = of;
          CAPTURE(epsilon);
          CAPTURE(sweeps);
          double const value = divot::value(what, t, s, {.reduction = sum});
          CHECK(value == doctest::Approx(reference(what, c)).epsilon(1e-11));
          CHECK(value == doctest::Approx(of == entropic ? solved.entropic : solved.transport_cost)
                             .epsilon(1e-11));
        }
      }
    }
  }
}

TEST_CASE("every objective's gradient by every route is that of central differences") {
  matrix const t = random(5, 4, 3), s = random(5, 4, 4);
  std::vector<double> const mixed{1, 0, -.5, 2, .3}, equal(5, 2);
  for (double const epsilon : {1., .1, .02}) {
    for (auto const each : {mass::one_per_sample, mass::probability}) {
      for (auto const of : {entropic, transport_cost}) {
        for (bool const same : {false, true}) {
          divot::batch const options{.reduction = sum, .weights = same ? equal : mixed};
          divot::sinkd what{.epsilon = epsilon, .mass = each, .objective = of};
          CAPTURE(epsilon);
          CAPTURE(static_cast<int>(of));
          CAPTURE(same);
          for (int const sweeps : {1, 6}) {
            what.sweeps = sweeps;
            CAPTURE(sweeps);
            check_gradients(what, t, s, options);
          }
          what.sweeps = 0;
          what.tolerance = 1e-14;
          what.gradient = route::implicit;
          check_gradients(what, t, s, options, 1e-4);
          if (of != entropic || !same) continue;
          what.gradient = route::envelope;
          check_gradients(what, t, s, options, 1e-4);
        }
      }
    }
  }
}

TEST_CASE("routes agree where they follow the same function") {
  matrix const t = random(6, 5, 5, 1), s = random(6, 5, 6, 1);
  auto const gradient = [&](divot::sinkd const& what) {
    matrix g(6, 5);
    divot::gradient(what, t, s, g);
    return g;
  };
  for (auto const of : {entropic, transport_cost}) {
    divot::sinkd what{.epsilon = .5, .sweeps = 0, .objective = of, .gradient = route::implicit};
    what.tolerance = 1e-14;
    matrix const implicit = gradient(what);
    divot::sinkd many = what;
    many.sweeps = 500;
    many.gradient = route::unrolled;
    CHECK((gradient(many) - implicit).norm() <= 1e-10 * implicit.norm());
    what.gradient = route::plan_detached;
    double const apart = (gradient(what) - implicit).norm() / implicit.norm();
    if (of == transport_cost) {
      CHECK(apart > .01);
    } else {
      CHECK(apart <= 1e-10);
      what.gradient = route::envelope;
      CHECK((gradient(what) - implicit).norm() <= 1e-10 * implicit.norm());
    }
  }
}

TEST_CASE("other costs between the softmaxes: values, and gradients of both sides") {
  matrix const t = random(5, 4, 7), s = random(5, 4, 8);
  auto const l2 = [](auto const& d) { return d.norm(); };
  auto const squared = [](auto const& d) { return d.squaredNorm(); };
  divot::sinkd what{.temperature = 1.5, .epsilon = .1, .sweeps = 5};
  matrix const p = softmax_rows(s, 1.5), q = softmax_rows(t, 1.5);
  for (auto const of : {entropic, transport_cost}) {
    what.objective = of;
    divot::batch const options{.reduction = sum};
    auto const check = [&](auto const& ground, matrix const& c) {
      auto const term = with_cost(what, ground);
      CHECK(divot::value(term, t, s, options) ==
            doctest::Approx(reference(what, c)).epsilon(1e-12));
      check_gradients(term, t, s, options);
    };
    check(divot::ground::l2{}, costs(p, q, l2));
    check(divot::ground::squared_l2{}, costs(p, q, squared));
  }
  matrix g(5, 4), h(5, 4);
  CHECK(divot::value_and_gradient(with_cost(what, divot::ground::l1{}), t, s, g) ==
        divot::value_and_gradient(what, t, s, h));
  CHECK((g.array() == h.array()).all());
  // where two rows agree l2 has no slope
  matrix tied = s;
  tied.row(2) = t.row(2);
  divot::gradient(with_cost(what, divot::ground::l2{}), t, tied, g);
  CHECK(g.allFinite());
  // the limit, too
  divot::sinkd limit{.sweeps = 0, .gradient = route::implicit, .tolerance = 1e-14};
  check_gradients(with_cost(limit, divot::ground::l2{}), t, s, {}, 1e-4);
}

TEST_CASE("regression: numbers are compared as they are") {
  auto const absolute = [](auto const& d) { return d.cwiseAbs().sum(); };
  constexpr divot::ground::absolute_difference numbers;
  for (divot::index const outputs : {1, 3}) {
    matrix const t = random(6, outputs, 9, 30), s = random(6, outputs, 10, 30);
    for (double const epsilon : {100., 5., .5}) {  // the last in the log domain
      for (auto const of : {entropic, transport_cost}) {
        divot::sinkd const what{.epsilon = epsilon, .sweeps = 6, .objective = of};
        auto const term = with_cost(what, numbers);
        CAPTURE(outputs);
        CAPTURE(epsilon);
        double const exact = reference(what, costs(s, t, absolute));
        if (epsilon > 1) {
          CHECK(divot::value(term, t, s, {.reduction = sum}) ==
                doctest::Approx(exact).epsilon(1e-12));
        }
        check_gradients(term, t, s, {.reduction = sum}, 1e-4);
        // wrappers' temperatures do not count
        CHECK(divot::value(term, divot::logits(t, 3), divot::logits(s, 4)) ==
              divot::value(term, t, s));
      }
    }
  }
  matrix const t = random(3, 2, 11);
  matrix s = random(3, 2, 12), g = matrix::Constant(3, 2, 7);
  auto const call = [&](divot::sinkd const& what) {
    return refusal([&] { divot::value_and_gradient(with_cost(what, numbers), t, s, g); });
  };
  CHECK(call({.temperature = 3}).find("compares numbers as they are") != std::string::npos);
  s(1, 0) = -std::numeric_limits<double>::infinity();
  CHECK(call({}) ==
        "divot: student, row 1, column 0: -inf; numbers to compare must be finite; nothing was "
        "written");
  s(1, 0) = std::nan("");
  CHECK(call({}).find("student, row 1, column 0: nan") != std::string::npos);
  CHECK((g.array() == 7).all());
}

TEST_CASE("float's gradients are double's") {
  narrow const t = random(20, 30, 13).cast<float>(), s = random(20, 30, 14).cast<float>();
  auto const check = [&](auto const& what) {
    narrow g(20, 30), h(20, 30);
    matrix wide_g(20, 30), wide_h(20, 30);
    double const value =
        divot::value_and_gradient(what, t, s, divot::gradients().student(g).teacher(h));
    double const exact =
        divot::value_and_gradient(what, t.cast<double>(), s.cast<double>(),
                                  divot::gradients().student(wide_g).teacher(wide_h));
    CHECK(value == doctest::Approx(exact).epsilon(1e-5));
    CHECK((g.cast<double>() - wide_g).norm() <= 1e-4 * wide_g.norm());
    CHECK((h.cast<double>() - wide_h).norm() <= 1e-4 * wide_h.norm());
  };
  check(divot::sinkd{.objective = entropic});
  check(divot::sinkd{.sweeps = 0, .gradient = route::implicit});
  check(divot::sinkd{.sweeps = 0, .objective = entropic, .gradient = route::envelope});
  check(with_cost(divot::sinkd{}, divot::ground::l2{}));
  check(with_cost(divot::sinkd{.epsilon = 3}, divot::ground::absolute_difference{}));
}

TEST_CASE("sequences are separate problems, bit for bit, masks and all") {
  constexpr divot::index length = 5, count = 4, rows = length * count, classes = 30;
  matrix const t = random(rows, classes, 15), s = random(rows, classes, 16);
  std::vector<std::uint8_t> mask(rows, 1);
  mask[1] = mask[8] = mask[18] = mask[19] = 0;
  for (divot::index r = 10; r < 15; ++r) mask[static_cast<std::size_t>(r)] = 0;  // all of one
  std::vector<double> per_row(rows, 7), weights(rows);
  for (std::size_t r = 0; r < weights.size(); ++r) weights[r] = .3 * static_cast<double>(r);
  auto const check = [&](divot::sinkd what, auto const& policy) {
    auto const by_ground = [&](auto const& ground) {
      matrix g(rows, classes), h(rows, classes), few(length, classes), fewer(length, classes);
      what.rows_per_problem = length;
      auto const all = divot::value_and_gradient(
          policy, with_cost(what, ground), t, s, divot::gradients().student(g).teacher(h),
          {.reduction = sum, .weights = weights, .mask = mask, .per_row = per_row});
      what.rows_per_problem = 0;
      double total = 0;
      for (divot::index p = 0; p < count; ++p) {
        std::vector<double> own(length);
        std::span const some(mask.data() + p * length, length);
        divot::batch const options{.reduction = sum,
                                   .weights = {weights.data() + p * length, length},
                                   .mask = some,
                                   .per_row = own};
        divot::value_and_gradient(with_cost(what, ground), t.middleRows(p * length, length),
                                  s.middleRows(p * length, length),
                                  divot::gradients().student(few).teacher(fewer), options);
        CHECK((g.middleRows(p * length, length).array() == few.array()).all());
        CHECK((h.middleRows(p * length, length).array() == fewer.array()).all());
        for (divot::index r = 0; r < length; ++r) {
          double const part = own[static_cast<std::size_t>(r)];
          CHECK(per_row[static_cast<std::size_t>(p * length + r)] == part);
          total += part;
        }
      }
      CHECK(all.value == total);
      CHECK(all.valid_rows == 11);
    };
    by_ground(divot::ground::l1{});
    by_ground(divot::ground::l2{});
  };
  check({}, divot::simd);
  check({.epsilon = .003, .mass = mass::probability, .objective = entropic}, divot::simd);
  check({.sweeps = 0, .gradient = route::implicit}, divot::simd);
#if DIVOT_HAS_OPENMP
  check({}, divot::omp(2));
  check({.sweeps = 0, .objective = entropic, .debiased = true, .gradient = route::implicit},
        divot::omp(2));
#endif
  matrix g = matrix::Constant(rows, classes, 7);
  CHECK(refusal([&] {
          divot::value_and_gradient(divot::sinkd{.rows_per_problem = 7}, t, s, g);
        }).find("20 rows are no whole number of sequences of 7") != std::string::npos);
  CHECK((g.array() == 7).all());
  CHECK(divot::value_and_gradient(divot::sinkd{.rows_per_problem = rows}, t, s, g) ==
        divot::value(divot::sinkd{}, t, s));
  // problems of one row have one plan
  divot::sinkd const single{.rows_per_problem = 1};
  double const rowwise = divot::value(single, t, s, {.reduction = sum});
  CHECK(rowwise == doctest::Approx((softmax_rows(s, 2) - softmax_rows(t, 2)).cwiseAbs().sum()));
}

#if DIVOT_HAS_OPENMP
TEST_CASE("threads that share sequences change no bit") {
  constexpr divot::index rows = 64, classes = 300;
  narrow const t = random(rows, classes, 17).cast<float>(),
               s = random(rows, classes, 18).cast<float>();
  divot::sinkd const what{.objective = entropic, .rows_per_problem = 16};
  narrow one(rows, classes), two(rows, classes);
  CHECK(divot::value_and_gradient(divot::omp(1), what, t, s, one) ==
        divot::value_and_gradient(divot::omp(2), what, t, s, two));
  CHECK((one.array() == two.array()).all());
}
#endif

TEST_CASE("the debiased form is 0 where both sides agree, and made of three values") {
  matrix const t = random(6, 5, 19), s = random(6, 5, 20);
  for (double const epsilon : {1., .1}) {
    divot::sinkd what{.epsilon = epsilon,
                      .sweeps = 0,
                      .objective = entropic,
                      .debiased = true,
                      .gradient = route::envelope,
                      .tolerance = 1e-14};
    divot::sinkd biased = what;
    biased.debiased = false;
    auto const of = [&](matrix const& x, matrix const& y) -> double {
      return divot::value(biased, x, y, {.reduction = sum});
    };
    double const value = divot::value(what, t, s, {.reduction = sum});
    CHECK(value == doctest::Approx(of(t, s) - .5 * of(s, s) - .5 * of(t, t)).epsilon(1e-12));
    CHECK(value > 0);
    check_gradients(what, t, s, {.reduction = sum}, 1e-4);
    check_gradients(with_cost(what, divot::ground::squared_l2{}), t, s, {.reduction = sum}, 1e-4);
    matrix g(6, 5);
    CHECK(divot::value_and_gradient(what, s, s, g) == 0);
    CHECK(g.cwiseAbs().maxCoeff() <= 1e-12);
    CHECK(of(s, s) > 0);
    what.gradient = route::implicit;
    std::vector<double> const weights{1, 0, -.5, 2, .3, 1};
    check_gradients(what, t, s, {.reduction = sum, .weights = weights}, 1e-4);
  }
  // teachers without a gradient of their own
  std::vector<int> const y{0, 1, 1, 4, 3, 2};
  matrix g(6, 5);
  divot::sinkd const what{
      .sweeps = 0, .objective = entropic, .debiased = true, .gradient = route::envelope};
  divot::value_and_gradient(what, divot::labels(y), s, g);
  CHECK(off(
            g, s, [&](matrix const& x) { return divot::value(what, divot::labels(y), x); }, 1e-3) <=
        1e-5);
}

TEST_CASE("variants are terms of sums") {
  matrix const t = random(6, 5, 21), s = random(6, 5, 22);
  divot::sinkd const limit{
      .sweeps = 0, .objective = entropic, .debiased = true, .gradient = route::envelope};
  auto const other = with_cost(divot::sinkd{.rows_per_problem = 3}, divot::ground::squared_l2{});
  divot::kl const kl;
  matrix all(6, 5), one(6, 5), total(6, 5);
  double const value = divot::value_and_gradient(.9 * kl + .5 * limit - 2 * other, t, s, all);
  double expected = .9 * divot::value_and_gradient(kl, t, s, one);
  total = .9 * one;
  expected += .5 * divot::value_and_gradient(limit, t, s, one);
  total += .5 * one;
  expected -= 2 * divot::value_and_gradient(other, t, s, one);
  total -= 2 * one;
  CHECK(value == doctest::Approx(expected).epsilon(1e-13));
  CHECK((all - total).norm() <= 1e-14 * total.norm());
}

TEST_CASE("a masked row is outside a problem that is solved to its limit") {
  matrix const t = random(4, 6, 23), s = random(4, 6, 24);
  std::vector<std::uint8_t> const mask{1, 0, 1, 1}, none(4, 0);
  matrix without_t(3, 6), without_s(3, 6), g = matrix::Constant(4, 6, 7), few(3, 6);
  without_t << t.row(0), t.row(2), t.row(3);
  without_s << s.row(0), s.row(2), s.row(3);
  matrix with_nan = s;
  with_nan.row(1).setConstant(std::nan(""));
  divot::sinkd const what{.sweeps = 0, .gradient = route::implicit};
  CHECK(divot::value_and_gradient(what, t, with_nan, g, {.mask = mask}) ==
        divot::value_and_gradient(what, without_t, without_s, few));
  CHECK((g.row(3).array() == few.row(2).array()).all());
  CHECK((g.row(1).array() == 0).all());
  CHECK(divot::value_and_gradient(what, t, s, g, {.mask = none}) == 0);
  CHECK((g.array() == 0).all());
  // one sample: whatever it costs
  CHECK(divot::value_and_gradient(what, t.topRows(1), s.topRows(1), few.topRows(1)) ==
        doctest::Approx(l1_costs(t.topRows(1), s.topRows(1))(0, 0)).epsilon(1e-14));
}

TEST_CASE("what cannot be combined is refused with its reason, before anything is written") {
  matrix const t = random(4, 4, 25), s = random(4, 4, 26);
  matrix g = matrix::Constant(4, 4, 7);
  std::vector<double> per_row(4, 7);
  auto const refused = [&](divot::sinkd const& what, std::string const& words,
                           divot::batch options = {}) {
    options.per_row = per_row;
    std::string const why =
        refusal([&] { divot::value_and_gradient(what + divot::kl{}, t, s, g, options); });
    CHECK_MESSAGE(why.find(words) != std::string::npos, why);
  };
  refused({.sweeps = 0, .gradient = route::envelope},
          "is the gradient of the entropic value alone");
  refused({.sweeps = 0, .gradient = route::envelope}, "route::plan_detached");
  refused({.objective = entropic, .gradient = route::envelope},
          "route::envelope is the gradient of the limit, not of what 20 sweeps compute");
  refused({.gradient = route::implicit}, "ask for sweeps = 0");
  refused({.sweeps = 0}, "no number of sweeps to unroll");
  refused({.debiased = true}, "made of entropic values");
  refused({.objective = entropic, .debiased = true}, "only once the sweeps have converged");
  refused({.rows_per_problem = -1}, "rows_per_problem is -1");
  refused({.tolerance = -1}, "the tolerance is -1");
  std::vector<double> const weights{1, 1, 2, 1};
  divot::sinkd const envelope{.sweeps = 0, .objective = entropic, .gradient = route::envelope};
  refused(envelope, "rows 0 and 2 have different weights", {.weights = weights});
  refused(envelope, "rows 0 and 2 have different weights", {.upstream = weights});
  CHECK((g.array() == 7).all());
  CHECK(std::count(per_row.begin(), per_row.end(), 7) == 4);
}

TEST_CASE("a problem that is not solved is an error, before anything is written") {
  matrix const c = l1_costs(random(6, 5, 27), random(6, 5, 28));
  auto const stopped = divot::sinkhorn(c, {.epsilon = .01, .max_sweeps = 2, .newton_steps = 0});
  CHECK(refusal([&] {
          divot::check_sinkd_solved(stopped, -1);
        }).find("sinkd: after 2 sweeps and 0 of Newton's steps the plan's sums are off by") !=
        std::string::npos);
  CHECK(refusal([&] { divot::check_sinkd_solved(stopped, 3); }).find("sinkd: sequence 3: after") !=
        std::string::npos);
  // costs that no plan can be told by
  matrix const t = random(4, 1, 29, 1e3), s = random(4, 1, 30, 1e3);
  matrix g = matrix::Constant(4, 1, 7);
  for (divot::index const length : {0, 2}) {
    divot::sinkd what{.epsilon = 1e-12, .sweeps = 0, .gradient = route::implicit};
    what.rows_per_problem = length;
    auto const term = with_cost(what, divot::ground::absolute_difference{});
    std::string const said = refusal([&] { divot::value_and_gradient(term, t, s, g); });
    CHECK(said.find(length == 0 ? "divot: sinkd: epsilon is" : "divot: sinkd: sequence 0: eps") ==
          0);
    CHECK(said.find("no double can tell plans apart") != std::string::npos);
  }
  CHECK((g.array() == 7).all());
}

}  // namespace
