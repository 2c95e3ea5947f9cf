// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A device against seq. Without a device: "skipped: no GPU".

#include <divot/divot.hpp>

#include <doctest/doctest.h>
#include <cuda/calls.hpp>
#include <parity/run.hpp>

#include <algorithm>
#include <limits>

namespace device_test {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
void there_and_back(row_major const& from, row_major& to);  // staged.cu

}  // namespace device_test

namespace {

using device_test::how;
using device_test::no_device;
using parity::outcome;
using parity::problem;

template <class T>
struct on_device {
  outcome<T> out;
  device_test::found found;
};

template <class T>
parity::call<T> call_of(parity::loss what, problem<T> const& p, outcome<T>& out,
                        divot::batch const& options) {
  auto c = device_test::call_of(p, out, options);
  if (what == parity::loss::mixture) c.options.labels = p.labels;
  return c;
}
template <class T>
on_device<T> by_device(parity::loss what, problem<T> const& p, how way = how::plain,
                       divot::batch const& options = {}, bool in_place = false) {
  on_device<T> r;
  auto const c = call_of(what, p, r.out, options);
  r.found = device_test::run<T>(what, c, way, in_place);
  r.out.result.value = static_cast<T>(r.found.loss);
  return r;
}
template <class T>
outcome<T> by_seq(parity::loss what, problem<T> const& p, divot::batch const& options = {}) {
  outcome<T> out;
  auto const c = call_of(what, p, out, options);
  out.result = parity::dispatch(divot::seq, what, c);
  return out;
}
/// A device tells neither temperature gradients nor how many rows were valid.
template <class T>
void agree(parity::loss what, on_device<T> got, outcome<T> const& right, problem<T> const& p) {
  CHECK(got.found.bad_rows == 0);
  got.out.result.valid_rows = right.result.valid_rows;
  got.out.result.student_temperature = right.result.student_temperature;
  got.out.result.teacher_temperature = right.result.teacher_temperature;
  parity::agree(what, got.out, right, p);
}

constexpr divot::index columns[] = {1,    2,     31,    32,     33,     127,   1000,
                                    5003, 32000, 50257, 128256, 152064, 262144};

}  // namespace

TEST_CASE("a device agrees with seq at every number of columns") {
  if (no_device()) return;
  std::uint64_t seed = 700;
  for (divot::index const cols : columns) {
    CAPTURE(cols);
    divot::index const rows = cols < 100 ? 301 : 5;
    problem<float> const p(++seed, rows, cols, 4, 2, 2), q(++seed, rows, cols, 5, 1.5, 3);
    for (auto const what : {parity::loss::kl, parity::loss::mixture}) {
      agree(what, by_device(what, p), by_seq(what, p), p);
      agree(what, by_device(what, q), by_seq(what, q), q);
    }
    problem<double> const d(++seed, rows, cols, 4, 2, 2);
    agree(parity::loss::kl, by_device(parity::loss::kl, d), by_seq(parity::loss::kl, d), d);
  }
}

TEST_CASE("memory, graphs, streams and places change no bit") {
  if (no_device()) return;
  for (divot::index const cols : {33, 5000, 40000}) {
    problem<float> const p(800, 7, cols, 4, 2, 2);
    auto const plain = by_device(parity::loss::kl, p);
    for (auto const way : {how::plain, how::workspace, how::graph, how::two_streams}) {
      CHECK(by_device(parity::loss::kl, p, way).out == plain.out);
    }
    CHECK(by_device(parity::loss::kl, p, how::plain, {}, true).out == plain.out);
  }
}

TEST_CASE("weights, masks, classes and temperatures of rows count as on seq") {
  if (no_device()) return;
  problem<float> const p(801, 6, 37);
  std::vector<double> const weights{1, .5, 2, 0, 1, 3}, upstream{1, -1, .25, 2, 1, 1};
  std::vector<std::uint8_t> const mask{1, 0, 1, 1, 1, 1};
  std::vector<divot::index> const classes{37, 5, 36, 1, 20, 2};
  std::vector<double> const temperatures{1, 2, .5, 3, 1, 10};
  divot::batch options;
  options.weights = weights, options.upstream = upstream, options.mask = mask;
  options.valid_classes_per_row = classes, options.temperatures = temperatures;
  for (auto const how_reduced : {divot::reduction::mean, divot::reduction::sum}) {
    options.reduction = how_reduced;
    agree(parity::loss::kl, by_device(parity::loss::kl, p, how::plain, options),
          by_seq(parity::loss::kl, p, options), p);
  }
}

TEST_CASE("rows beyond float are done again; bad rows are counted and the others complete") {
  if (no_device()) return;
  problem<float> p(802, 5, 400);
  p.student[3] = -3e38f;
  p.teacher[400] = -std::numeric_limits<float>::infinity();
  agree(parity::loss::kl, by_device(parity::loss::kl, p), by_seq(parity::loss::kl, p), p);
  p.student[800] = std::numeric_limits<float>::quiet_NaN();
  auto const found = by_device(parity::loss::kl, p).found;
  CHECK(found.bad_rows == 1);
  CHECK(found.first_bad == 2);
}

TEST_CASE("transforms and the way back through them are those of seq") {
  if (no_device()) return;
  for (divot::index const cols : {5, 33, 1000, 20000}) {
    CAPTURE(cols);
    problem<float> const p(805, 3, cols, 4, 2, 1.5);
    std::vector<double> bias;
    std::vector<std::uint8_t> keep;
    for (divot::index k = 0; k < cols; ++k) {
      bias.push_back(.01 * static_cast<double>(k % 7));
      keep.push_back(k < 2 || k % 3 != 0);
    }
    on_device<float> got;
    auto const c = call_of(parity::loss::kl, p, got.out, {});
    got.found = device_test::run_transformed(c, bias, keep);
    got.out.result.value = static_cast<float>(got.found.loss);
    outcome<float> right;
    auto const d = call_of(parity::loss::kl, p, right, {});
    auto const wrap = [&](auto const& x, double t) {
      return divot::logits(x, t).softcap(30).bias(bias).standardise().mask(keep);
    };
    auto const r = divot::value_and_gradient(
        divot::seq, divot::kl{}, wrap(d.teacher, 2), wrap(d.student, 1.5),
        divot::gradients().student(d.student_gradient).teacher(d.teacher_gradient), d.options);
    right.result = {r.value, r.valid_rows};
    agree(parity::loss::kl, got, right, p);
  }
}

TEST_CASE("a million rows") {
  if (no_device()) return;
  problem<float> const p(803, 1000000, 10);
  agree(parity::loss::kl, by_device(parity::loss::kl, p), by_seq(parity::loss::kl, p), p);
}

TEST_CASE("softmax, its pullback and logsumexp agree with seq") {
  if (no_device()) return;
  for (divot::index const cols : columns) {
    CAPTURE(cols);
    problem<float> const p(804, 3, cols, 4);
    auto y = p.student, u = p.teacher, right_y = y, right_u = u;
    device_test::softmax(y, u, 3, cols, 2);
    divot::matrix_ref<float> const of_y(right_y.data(), 3, cols), of_u(right_u.data(), 3, cols);
    divot::softmax(divot::seq, divot::logits(of_y, 2), of_y);
    divot::softmax_pullback(divot::seq, of_y, of_u, of_u, 2);
    auto const bound = budget::held("softmax", budget::situation::moderate, true);
    CHECK(parity::row_error(y, right_y, 3, cols) <= 2 * bound.gradient);
    CHECK(parity::row_error(u, right_u, 3, cols) <= 2 * bound.gradient);
    auto const sums = device_test::logsumexp(p.student, 3, cols);
    std::vector<double> right(3);
    divot::logsumexp(divot::seq, divot::matrix_ref<float const>(p.student.data(), 3, cols), right);
    for (std::size_t r = 0; r < 3; ++r) CHECK(sums[r] == doctest::Approx(right[r]).epsilon(1e-6));
  }
}

TEST_CASE("host matrices are staged there and back") {
  if (no_device()) return;
  device_test::row_major const from = device_test::row_major::Random(7, 33);
  device_test::row_major to = device_test::row_major::Zero(7, 33);
  device_test::there_and_back(from, to);
  CHECK(to == from);
}
