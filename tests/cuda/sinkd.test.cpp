// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// SinkD on a device against seq. Without a device: "skipped: no GPU".

#include <divot/divot.hpp>

#include <doctest/doctest.h>
#include <cuda/calls.hpp>
#include <cuda/sinkd_device.hpp>

#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace {

using device_test::call_of;
using device_test::how;
using device_test::no_device;
using parity::off;
using parity::problem;

template <class T>
struct outcome {
  double loss = -1;
  std::vector<double> per_row;
  std::vector<T> student, teacher;
  device_test::found found;
};

template <class T>
outcome<T> by_device(divot::sinkd const& what, problem<T> const& p,
                     divot::batch const& options = {}, how way = how::plain,
                     bool in_place = false) {
  outcome<T> out;
  auto const c = call_of(p, out, options);
  out.found = device_test::run_sinkd<T>(what, c, way, in_place);
  out.loss = out.found.loss;
  return out;
}
template <class T>
outcome<T> by_seq(divot::sinkd const& what, problem<T> const& p, divot::batch const& options = {}) {
  outcome<T> out;
  auto const c = call_of(p, out, options);
  auto const where = divot::gradients().student(c.student_gradient).teacher(c.teacher_gradient);
  out.loss = static_cast<double>(
      divot::value_and_gradient(divot::seq, what, c.teacher, c.student, where, c.options).value);
  return out;
}

template <class T>
void agree(outcome<T> const& got, outcome<T> const& right,
           double bound = std::is_same_v<T, float> ? 5e-5 : 1e-10) {
  CHECK(got.found.bad_rows == 0);
  CHECK(std::abs(got.loss - right.loss) <= bound * std::abs(right.loss) + 1e-14);
  CHECK(off(got.per_row, right.per_row) <= bound);
  CHECK(off(got.student, right.student) <= bound);
  CHECK(off(got.teacher, right.teacher) <= bound);
}
template <class T>
bool same_bits(outcome<T> const& a, outcome<T> const& b) {
  return a.loss == b.loss && a.per_row == b.per_row && a.student == b.student &&
         a.teacher == b.teacher;
}

}  // namespace

TEST_CASE("a device's sinkd agrees with seq at every number of rows and classes") {
  if (no_device()) return;
  struct shape {
    divot::index rows, classes;
  };
  std::uint64_t seed = 900;
  for (shape const& x : {shape{1, 1},
                         {2, 3},
                         {31, 33},
                         {64, 1000},
                         {65, 130},
                         {129, 50},
                         {300, 70},
                         {512, 33},
                         {8, 50257}}) {
    CAPTURE(x.rows);
    CAPTURE(x.classes);
    problem<float> const p(++seed, x.rows, x.classes, 3);
    problem<double> const q(++seed, x.rows, x.classes, 3);
    agree(by_device({}, p), by_seq({}, p));
    agree(by_device({}, q), by_seq({}, q));
    // in the domain of logarithms
    divot::sinkd const sharp{.epsilon = .01, .sweeps = 3};
    agree(by_device(sharp, q), by_seq(sharp, q));
  }
}

TEST_CASE("weights, masks, objectives and sequences of a device's sinkd count as on seq") {
  if (no_device()) return;
  problem<double> const p(930, 120, 70, 3);
  std::vector<double> weights, upstream;
  std::vector<std::uint8_t> mask;
  for (int r = 0; r < 120; ++r) {
    weights.push_back(r % 5 * .5);
    upstream.push_back(r % 3 - .5);
    mask.push_back(r % 7 != 3 && (r < 40 || r >= 50));
  }
  divot::batch b;
  b.weights = weights, b.upstream = upstream, b.mask = mask;
  for (divot::index const length : {0, 1, 10, 40}) {
    divot::sinkd what{.sweeps = 7, .rows_per_problem = length};
    agree(by_device(what, p, b), by_seq(what, p, b));
    what.objective = divot::transport_objective::entropic;
    what.mass = divot::mass::probability;
    auto sum = b;
    sum.reduction = divot::reduction::sum;
    agree(by_device(what, p, sum), by_seq(what, p, sum));
  }
}

TEST_CASE("a device's sinkd goes to the limit, and back through its equations, debiased or not") {
  if (no_device()) return;
  for (divot::index const rows : {3, 40, 150}) {
    problem<double> const p(940, rows, 60, 2);
    divot::sinkd what{.epsilon = .1, .sweeps = 0, .gradient = divot::route::implicit};
    agree(by_device(what, p), by_seq(what, p), 1e-6);
    what.objective = divot::transport_objective::entropic;
    what.debiased = true;
    agree(by_device(what, p), by_seq(what, p), 1e-6);
    what.gradient = divot::route::envelope;
    agree(by_device(what, p), by_seq(what, p), 1e-6);
  }
}

TEST_CASE("memory, graphs, streams and places change no bit of a device's sinkd") {
  if (no_device()) return;
  for (divot::index const rows : {20, 200}) {
    problem<float> const p(931, rows, 5000, 3);
    auto const plain = by_device({}, p);
    for (auto const way : {how::plain, how::workspace, how::graph, how::two_streams}) {
      CHECK(same_bits(by_device({}, p, {}, way), plain));
    }
    CHECK(same_bits(by_device({}, p, {}, how::plain, true), plain));
  }
}

TEST_CASE("a sequence of a device's sinkd is what it is alone") {
  if (no_device()) return;
  problem<float> const p(932, 70, 3000, 3);
  divot::batch sum;
  sum.reduction = divot::reduction::sum;
  auto const both = by_device({.rows_per_problem = 35}, p, sum);
  problem<float> half = p;
  half.rows = 35;
  half.student.resize(half.student.size() / 2), half.teacher.resize(half.teacher.size() / 2);
  auto const one = by_device({}, half, sum);
  for (std::size_t k = 0; k < one.student.size(); ++k) CHECK(both.student[k] == one.student[k]);
}

TEST_CASE("a bad row leaves its problem as it was") {
  if (no_device()) return;
  problem<float> p(933, 6, 400);
  p.student[800] = std::numeric_limits<float>::quiet_NaN();
  auto const got = by_device({.rows_per_problem = 3}, p);
  CHECK(got.found.bad_rows == 1);
  CHECK(got.found.first_bad == 2);
  CHECK(std::isnan(got.loss));
  CHECK(std::isnan(got.student[0]));  // poison
  CHECK(std::isfinite(got.student[1200]));
}
