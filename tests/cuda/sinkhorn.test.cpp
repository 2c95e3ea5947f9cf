// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Batches of transport problems on a device against seq. Without a device: "skipped: no GPU".

#include <divot/divot.hpp>

#include <doctest/doctest.h>
#include <cuda/calls.hpp>
#include <cuda/sinkhorn_device.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <random>

namespace {

using device_test::how;
using device_test::no_device;
using device_test::solved_batch;
using device_test::transport_batch;

/// Of a problem.
struct shape {
  int n, m;
};

template <class T>
transport_batch<T> random_batch(divot::index count, divot::index rows, divot::index columns,
                                unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  transport_batch<T> p{count, rows, columns, {}, {}, {}};
  for (divot::index k = 0; k < count * rows * columns; ++k) {
    p.costs.push_back(static_cast<T>(uniform(random)));
  }
  auto const masses = [&](divot::index size) {
    Eigen::VectorXd x = Eigen::VectorXd::NullaryExpr(size, [&] { return .1 + uniform(random); });
    return Eigen::VectorXd(x / x.sum());
  };
  for (divot::index k = 0; k < count; ++k) {
    auto const a = masses(rows), b = masses(columns);
    p.a.insert(p.a.end(), a.begin(), a.end());
    p.b.insert(p.b.end(), b.begin(), b.end());
  }
  return p;
}

template <class T>
void agree(transport_batch<T> const& p, divot::sinkhorn_options const& options, double bound) {
  auto const got = device_test::solve(p, options);
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  for (divot::index k = 0; k < p.count; ++k) {
    CAPTURE(k);
    auto const at = static_cast<std::size_t>(k);
    Eigen::Map<matrix const> const cost(p.costs.data() + k * p.rows * p.columns, p.rows, p.columns);
    Eigen::Map<Eigen::VectorXd const> const a(p.a.data() + k * p.rows, p.rows),
        b(p.b.data() + k * p.columns, p.columns);
    auto const right =
        divot::sinkhorn(divot::seq, cost.template cast<double>().eval(), a, b, options);
    CHECK(got.status[at] == right.status);
    CHECK(got.transport_cost[at] == doctest::Approx(right.transport_cost).epsilon(bound));
    CHECK(got.entropic[at] == doctest::Approx(right.entropic).epsilon(bound));
    Eigen::VectorXd const f = right.row_potentials(), g = right.column_potentials();
    Eigen::MatrixXd const plan = right.plan();
    double off = 0;
    for (divot::index i = 0; i < p.rows; ++i) {
      off = std::max(off, std::abs(got.f[static_cast<std::size_t>(k * p.rows + i)] - f(i)));
      for (divot::index j = 0; j < p.columns; ++j) {
        auto const place = static_cast<std::size_t>((k * p.rows + i) * p.columns + j);
        off = std::max(off, std::abs(got.plan[place] - plan(i, j)));
      }
    }
    for (divot::index j = 0; j < p.columns; ++j) {
      off = std::max(off, std::abs(got.g[static_cast<std::size_t>(k * p.columns + j)] - g(j)));
    }
    CHECK(off <= bound);
  }
}

}  // namespace

TEST_CASE("a device's batch agrees with seq, by warps, blocks and clusters, in either domain") {
  if (no_device()) return;
  unsigned seed = 70;
  for (shape const& x :
       {shape{1, 1}, {5, 3}, {32, 32}, {33, 20}, {64, 64}, {100, 110}, {130, 200}, {300, 300}}) {
    int const n = x.n, m = x.m;
    CAPTURE(n);
    CAPTURE(m);
    auto const p = random_batch<double>(7, n, m, ++seed);
    auto const q = random_batch<float>(7, n, m, ++seed);
    for (double const epsilon : {.1, .002}) {
      agree(p, {.epsilon = epsilon, .sweeps = 15}, 1e-10);
      agree(q, {.epsilon = epsilon, .sweeps = 15}, 1e-10);
    }
    agree(p, {.epsilon = .1, .tolerance = 1e-10}, 1e-7);
    if (n < 100) agree(p, {.epsilon = .01, .tolerance = 1e-10}, 1e-6);
  }
}

TEST_CASE(
    "a device's batch: each problem stops by itself, and neither memory nor graphs change a bit") {
  if (no_device()) return;
  for (int const n : {20, 64, 150}) {
    auto p = random_batch<double>(500, n, n, 90);
    for (int k = 0; k < n * n; ++k) p.costs[static_cast<std::size_t>(3 * n * n + k)] *= 20;
    divot::sinkhorn_options const options{.epsilon = .1, .tolerance = 1e-6, .newton_steps = 0};
    auto const plain = device_test::solve(p, options);
    CHECK(plain.sweeps[3] > 3 * plain.sweeps[4]);
    CHECK(device_test::solve(p, options, how::workspace) == plain);
    CHECK(device_test::solve(p, options, how::graph) == plain);
    CHECK(device_test::solve(p, options) == plain);
    // alone
    auto one = p;
    one.count = 1;
    auto const alone = device_test::solve(one, options);
    CHECK(alone.entropic[0] == plain.entropic[0]);
    CHECK(alone.sweeps[0] == plain.sweeps[0]);
  }
}

TEST_CASE("a problem that is wrong says so on a device") {
  if (no_device()) return;
  auto p = random_batch<float>(4, 6, 5, 91);
  p.costs[30] = std::numeric_limits<float>::quiet_NaN();
  p.b[10] = 7;
  auto const got = device_test::solve(p, {});
  CHECK(got.status[0] == divot::transport_status::converged);
  CHECK(got.status[1] == divot::transport_status::bad_input);
  CHECK(got.status[2] == divot::transport_status::mass_mismatch);
  CHECK(got.status[3] == divot::transport_status::converged);
  CHECK(std::isnan(got.entropic[1]));
  CHECK(got.plan[31] == 0);
}
