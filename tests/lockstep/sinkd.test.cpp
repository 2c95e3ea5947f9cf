// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// SinkD as a device works it out, on host threads that imitate a block, against seq.

#include <divot/divot.hpp>

#include <doctest/doctest.h>
#include <lockstep/imitated_sinkd.hpp>
#include <parity/grid.hpp>
#include <unit/refusal.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace {

using parity::off;
using parity::problem;

template <class T>
divot::device_view<T const> seen(std::vector<T> const& x, divot::index rows) {
  return {x.data(), rows, static_cast<divot::index>(x.size()) / rows};
}
template <class T>
divot::device_view<T> target(std::vector<T>& x, divot::index rows) {
  return {x.data(), rows, static_cast<divot::index>(x.size()) / rows};
}
template <class T>
divot::matrix_ref<T const> host(std::vector<T> const& x, divot::index rows) {
  return {x.data(), rows, static_cast<divot::index>(x.size()) / rows};
}
template <class T>
divot::matrix_ref<T> host_target(std::vector<T>& x, divot::index rows) {
  return {x.data(), rows, static_cast<divot::index>(x.size()) / rows};
}

template <class T>
struct outcome {
  double loss = -1;
  std::vector<double> per_row;
  std::vector<T> student, teacher;
  divot::device_status status;
  bool operator==(outcome const& x) const {
    return loss == x.loss && per_row == x.per_row && student == x.student && teacher == x.teacher;
  }
};

template <class T>
outcome<T> empty_outcome(problem<T> const& p) {
  outcome<T> out;
  out.per_row.assign(static_cast<std::size_t>(p.rows), -1);
  out.student.assign(p.student.size(), T(99));
  out.teacher.assign(p.student.size(), T(99));
  return out;
}

template <class T, class L>
outcome<T> imitate(L const& what, problem<T> const& p, divot::batch const& options = {},
                   lockstep::imitated_sinkd const& how = {}) {
  auto out = empty_outcome(p);
  divot::device_batch b;
  auto const span = [](auto const& x) {
    using number = std::remove_reference_t<decltype(x[0])>;
    return divot::device_span<number const>{x.data(), static_cast<divot::index>(x.size())};
  };
  b.reduction = options.reduction;
  b.normaliser = options.normaliser;
  b.weights = span(options.weights);
  b.upstream = span(options.upstream);
  b.mask = span(options.mask);
  b.valid_classes = options.valid_classes;
  b.valid_classes_per_row = span(options.valid_classes_per_row);
  b.loss = &out.loss;
  b.per_row = {out.per_row.data(), p.rows};
  b.status = &out.status;
  lockstep::value_and_gradient(
      how, what, seen(p.teacher, p.rows), seen(p.student, p.rows),
      divot::device_gradients{target(out.student, p.rows), target(out.teacher, p.rows)}, b);
  return out;
}
template <class T, class L>
outcome<T> by_seq(L const& what, problem<T> const& p, divot::batch options = {}) {
  auto out = empty_outcome(p);
  options.per_row = out.per_row;
  out.loss = static_cast<double>(
      divot::value_and_gradient(divot::seq, what, host(p.teacher, p.rows), host(p.student, p.rows),
                                divot::gradients()
                                    .student(host_target(out.student, p.rows))
                                    .teacher(host_target(out.teacher, p.rows)),
                                options)
          .value);
  return out;
}

template <class T>
void agree(outcome<T> const& got, outcome<T> const& right, double bound) {
  CHECK(got.status.bad_rows == 0);
  CHECK(std::abs(got.loss - right.loss) <= bound * std::abs(right.loss) + 1e-15);
  CHECK(off(got.per_row, right.per_row) <= bound);
  CHECK(off(got.student, right.student) <= bound);
  CHECK(off(got.teacher, right.teacher) <= bound);
}
constexpr double tight = 1e-11, single = 3e-5;

}  // namespace

TEST_CASE("a device's sinkd agrees with seq at every shape, objective, route and mass") {
  std::uint64_t seed = 300;
  struct shape {
    divot::index rows, classes;
  };
  for (shape const& x :
       {shape{1, 1}, {1, 5}, {2, 3}, {5, 9}, {9, 40}, {33, 17}, {40, 33}, {3, 2100}}) {
    CAPTURE(x.rows);
    CAPTURE(x.classes);
    problem<double> const p(++seed, x.rows, x.classes, 3);
    problem<float> const q(++seed, x.rows, x.classes, 3);
    for (double const epsilon : {.5, .1, .002}) {
      CAPTURE(epsilon);
      double const bound = epsilon < .01 ? 1e-9 : tight;
      divot::sinkd what{.temperature = 1.5, .epsilon = epsilon, .sweeps = 4};
      agree(imitate(what, p), by_seq(what, p), bound);
      agree(imitate(what, q), by_seq(what, q), epsilon < .01 ? 2e-3 : single);
      what.objective = divot::transport_objective::entropic;
      agree(imitate(what, p), by_seq(what, p), bound);
      what.gradient = divot::route::plan_detached;
      agree(imitate(what, p), by_seq(what, p), bound);
      what.mass = divot::mass::probability;
      what.gradient = divot::route::unrolled;
      divot::batch sum;
      sum.reduction = divot::reduction::sum;
      agree(imitate(what, p, sum), by_seq(what, p, sum), bound);
    }
  }
}

TEST_CASE("a device's sinkd has the other costs, too") {
  problem<double> const p(330, 6, 45, 2);
  for (auto const sweeps : {1, 20}) {
    divot::sinkd const what{.epsilon = .3, .sweeps = sweeps};
    auto const squared = divot::with_cost(what, divot::ground::squared_l2{});
    auto const plain = divot::with_cost(what, divot::ground::l2{});
    auto const numbers = divot::with_cost(what, divot::ground::absolute_difference{});
    agree(imitate(squared, p), by_seq(squared, p), tight);
    agree(imitate(plain, p), by_seq(plain, p), tight);
    agree(imitate(numbers, p), by_seq(numbers, p), tight);
    agree(imitate(.25 * numbers, p), by_seq(.25 * numbers, p), tight);
  }
}

TEST_CASE("a device's sinkd goes to the limit, and back through its equations") {
  for (divot::index const rows : {1, 2, 7, 40}) {
    CAPTURE(rows);
    problem<double> const p(340, rows, 23, 2);
    problem<float> const q(341, rows, 23, 2);
    for (double const epsilon : {.5, .1, .02, .003}) {
      CAPTURE(epsilon);
      divot::sinkd what{.epsilon = epsilon, .sweeps = 0, .gradient = divot::route::implicit};
      double const bound = epsilon < .05 ? 1e-5 : 1e-7;
      agree(imitate(what, p), by_seq(what, p), bound);
      agree(imitate(what, q), by_seq(what, q), epsilon < .05 ? 2e-3 : single);
      what.objective = divot::transport_objective::entropic;
      agree(imitate(what, p), by_seq(what, p), bound);
      what.gradient = divot::route::envelope;
      agree(imitate(what, p), by_seq(what, p), bound);
      what.debiased = true;
      agree(imitate(what, p), by_seq(what, p), bound);
      what.gradient = divot::route::implicit;
      agree(imitate(what, p), by_seq(what, p), bound);
      what.debiased = false;
      what.rows_per_problem = rows == 40 ? 8 : 0;
      what.gradient = divot::route::plan_detached;
      agree(imitate(what, p), by_seq(what, p), bound);
    }
  }
}

TEST_CASE("a device's debiased sinkd is 0 where both sides agree, and so is its gradient") {
  problem<double> p(343, 9, 31, 3);
  p.teacher = p.student;
  auto const got = imitate(divot::sinkd{.sweeps = 0,
                                        .objective = divot::transport_objective::entropic,
                                        .debiased = true,
                                        .gradient = divot::route::envelope},
                           p);
  CHECK(std::abs(got.loss) <= 1e-12);
  for (auto const* g : {&got.student, &got.teacher}) {
    for (double const x : *g) CHECK(std::abs(x) <= 1e-8);
  }
}

TEST_CASE("a problem that cannot be solved to its tolerance is left as it was") {
  problem<double> p(342, 12, 9, 3);
  // the first half is as easy as can be
  for (std::size_t k = 0; k < 54; ++k) p.student[k] = p.teacher[k] = 0;
  divot::sinkd const what{.epsilon = 1e-12,
                          .sweeps = 0,
                          .gradient = divot::route::implicit,
                          .rows_per_problem = 6,
                          .tolerance = 1e-300};
  auto const got = imitate(what, p);
  CHECK(got.per_row[0] == doctest::Approx(0));
  CHECK(got.student[0] != 99);
  CHECK(got.status.bad_rows == 6);
  CHECK(~got.status.first_bad_inverted == 6);
  CHECK(got.student[54] == 99);
  CHECK(std::isnan(got.loss));
}

TEST_CASE("weights, masks, classes and sequences of a device's sinkd count as on seq") {
  problem<double> const p(331, 12, 37);
  std::vector<double> const weights{1, .5, 2, 0, 1, 3, 1, 1, -1, 1, 2, 1},
      upstream{1, -1, .25, 2, 1, 1, 1, .5, 1, 1, 1, 3};
  std::vector<std::uint8_t> const mask{1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1};
  std::vector<divot::index> const classes{37, 5, 36, 1, 20, 2, 37, 9, 9, 9, 30, 37};
  for (divot::index const length : {0, 3, 4, 12}) {
    for (auto const each : {divot::reduction::mean, divot::reduction::sum}) {
      divot::sinkd const what{.sweeps = 5, .rows_per_problem = length};
      divot::batch b;
      b.reduction = each;
      b.weights = weights;
      agree(imitate(what, p, b), by_seq(what, p, b), tight);
      b.upstream = upstream;
      b.mask = mask;
      agree(imitate(what, p, b), by_seq(what, p, b), tight);
      b.valid_classes_per_row = classes;
      agree(imitate(what, p, b), by_seq(what, p, b), tight);
      b.normaliser = 3.5;
      b.valid_classes_per_row = {};
      b.valid_classes = 30;
      agree(imitate(what, p, b), by_seq(what, p, b), tight);
    }
  }
}

TEST_CASE(
    "neither the sweeps' threads nor where slices are added up change a bit, nor what else there "
    "is") {
  problem<float> const p(332, 70, 4200, 3);
  divot::sinkd const what{.sweeps = 3};
  auto const one = imitate(what, p, {}, {3, 1, true});
  CHECK(imitate(what, p, {}, {3, 5, true}) == one);
  CHECK(imitate(what, p, {}, {3, 2, false}) == one);

  problem<double> const q(333, 6, 50, 3);
  divot::sinkd sequences{.sweeps = 6, .rows_per_problem = 3};
  divot::batch sum;
  sum.reduction = divot::reduction::sum;
  auto const both = imitate(sequences, q, sum);
  problem<double> half = q;
  half.rows = 3;
  half.student.resize(150), half.teacher.resize(150);
  auto const first = imitate(divot::sinkd{.sweeps = 6}, half, sum);
  CHECK(std::vector<double>(both.student.begin(), both.student.begin() + 150) == first.student);
  CHECK(std::vector<double>(both.per_row.begin(), both.per_row.begin() + 3) == first.per_row);
}

TEST_CASE(
    "a device's sinkd takes labels and log-probabilities, adds to gradients and works in place") {
  problem<double> p(334, 5, 20, 3);
  std::vector<std::int64_t> const y{3, 0, 19, 3, 7};
  divot::sinkd const what{.temperature = 2, .sweeps = 8};
  for (double const smoothing : {0., .1}) {
    double loss = -1;
    divot::device_batch b;
    b.loss = &loss;
    std::vector<double> g(100, 1.), right(100, 1.);
    lockstep::value_and_gradient(
        lockstep::imitated_sinkd{}, 3 * what,
        divot::labels(divot::device_span<std::int64_t const>{y.data(), 5}, smoothing),
        seen(p.student, 5), divot::device_gradients{target(g, 5), divot::nowhere{}, true, -2.}, b);
    auto const value = divot::value_and_gradient(divot::seq, 3 * what, divot::labels(y, smoothing),
                                                 host(p.student, 5),
                                                 divot::accumulate(host_target(right, 5), -2.));
    CHECK(loss == doctest::Approx(value.value).epsilon(tight));
    CHECK(off(g, right) <= tight);
  }
  auto const apart = imitate(what, p);
  auto q = p;
  lockstep::value_and_gradient(
      lockstep::imitated_sinkd{}, what, target(q.teacher, 5), target(q.student, 5),
      divot::device_gradients{target(q.student, 5), target(q.teacher, 5)}, {});
  CHECK(q.student == apart.student);
  CHECK(q.teacher == apart.teacher);

  for (std::size_t r = 0; r < 5; ++r) {
    double sum = 0;
    for (std::size_t k = 0; k < 20; ++k) sum += std::exp(p.teacher[r * 20 + k]);
    for (std::size_t k = 0; k < 20; ++k) p.teacher[r * 20 + k] -= std::log(sum);
  }
  std::vector<double> g(100), right(100);
  double loss = -1;
  divot::device_batch b;
  b.loss = &loss;
  lockstep::value_and_gradient(lockstep::imitated_sinkd{}, what,
                               divot::log_probabilities(seen(p.teacher, 5)), seen(p.student, 5),
                               target(g, 5), b);
  auto const value =
      divot::value_and_gradient(divot::seq, what, divot::log_probabilities(host(p.teacher, 5)),
                                host(p.student, 5), host_target(right, 5));
  CHECK(loss == doctest::Approx(value.value).epsilon(tight));
  CHECK(off(g, right) <= tight);
}

TEST_CASE("a bad row leaves its problem as it was, and the others complete") {
  problem<double> p(335, 6, 20, 3);
  divot::sinkd const what{.sweeps = 6, .rows_per_problem = 3};
  divot::batch sum;
  sum.reduction = divot::reduction::sum;
  auto const good = imitate(what, p, sum);
  p.student[85] = std::numeric_limits<double>::quiet_NaN();
  auto const got = imitate(what, p, sum);
  CHECK(got.status.bad_rows == 1);
  CHECK(~got.status.first_bad_inverted == 4);
  CHECK(std::isnan(got.loss));
  for (std::size_t k = 0; k < 120; ++k) {
    CHECK(got.student[k] == (k < 60 ? good.student[k] : 99));
    CHECK(got.teacher[k] == (k < 60 ? good.teacher[k] : 99));
  }
  for (std::size_t r = 0; r < 6; ++r) CHECK(got.per_row[r] == (r < 3 ? good.per_row[r] : -1));
}

TEST_CASE("what a device's sinkd has not is refused in words") {
  problem<double> const p(336, 4, 6);
  auto const says = [&](divot::sinkd const& what, divot::device_batch const& options,
                        char const* part) {
    std::vector<double> g(24);
    auto const text = refusal([&] {
      lockstep::value_and_gradient(lockstep::imitated_sinkd{}, what, seen(p.teacher, 4),
                                   seen(p.student, 4), target(g, 4), options);
    });
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  says({.debiased = true}, {}, "the debiased form is made of entropic values");
  says({.sweeps = 0}, {}, "there is no number of sweeps to unroll");
  says({.sweeps = -1}, {}, "sweeps is -1");
  says({.epsilon = 0}, {}, "epsilon is 0");
  says({.temperature = -1}, {}, "sinkd: the temperature is -1");
  says({.gradient = divot::route::implicit}, {}, "is the gradient of the limit");
  says({.rows_per_problem = 3}, {}, "no whole number of sequences of 3");
  says({.mass = divot::mass::probability}, {}, "ask for batch::reduction sum");
  std::vector<double> const temperatures(4, 1.);
  divot::device_batch b;
  b.temperatures = {temperatures.data(), 4};
  says({}, b, "temperatures");
  b = {};
  b.weights = {temperatures.data(), 4};
  says({.sweeps = 0,
        .objective = divot::transport_objective::entropic,
        .gradient = divot::route::envelope},
       b, "route::envelope is the gradient of the whole value");
}
