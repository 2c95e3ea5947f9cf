// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Batches of transport problems as a device solves them, on host threads that imitate a block,
// against seq.

#include <divot/divot.hpp>

#include <divot/exec/device_costs.hpp>

#include <doctest/doctest.h>
#include <lockstep/imitated_group.hpp>
#include <unit/refusal.hpp>
#include <unit/transport_problem.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using vector = Eigen::VectorXd;
using lockstep::imitated_group;

/// Problems of one shape, and what is found of them.
struct problems {
  divot::index count, rows, columns;
  std::vector<matrix> costs;
  std::vector<vector> a, b;

  problems(divot::index k, divot::index n, divot::index m, unsigned seed, double scale = 1)
      : count(k), rows(n), columns(m) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    auto const masses = [&](divot::index size) {
      vector x = vector::NullaryExpr(size, [&] { return .1 + uniform(random); });
      return vector(x / x.sum());
    };
    for (divot::index i = 0; i < k; ++i) {
      costs.push_back(matrix::NullaryExpr(n, m, [&] { return scale * uniform(random); }));
      a.push_back(masses(n));
      b.push_back(masses(m));
    }
  }
};

/// Of a problem.
struct shape {
  int n, m;
};

struct solved {
  std::vector<double> transport_cost, entropic, row_error, column_error, f, g, plan;
  std::vector<int> sweeps;
  std::vector<divot::transport_status> status;
};

/// As a device does it, by so many threads.
solved imitate(problems const& p, divot::sinkhorn_options const& options, divot::index threads = 3,
               bool equal = false) {
  divot::index const step = p.columns + 3, stride = p.rows * step + 5;
  std::vector<double> costs(static_cast<std::size_t>(p.count * stride), std::nan(""));
  std::vector<double> a, b;
  for (divot::index k = 0; k < p.count; ++k) {
    auto const at = static_cast<std::size_t>(k);
    for (divot::index i = 0; i < p.rows; ++i) {
      for (divot::index j = 0; j < p.columns; ++j) {
        costs[static_cast<std::size_t>(k * stride + i * step + j)] = p.costs[at](i, j);
      }
    }
    a.insert(a.end(), p.a[at].begin(), p.a[at].end());
    b.insert(b.end(), p.b[at].begin(), p.b[at].end());
  }
  auto const count = static_cast<std::size_t>(p.count);
  solved out;
  for (auto* const x : {&out.transport_cost, &out.entropic, &out.row_error, &out.column_error}) {
    x->assign(count, -1);
  }
  out.f.assign(a.size(), -1);
  out.g.assign(b.size(), -1);
  out.plan.assign(count * static_cast<std::size_t>(p.rows * p.columns), -1);
  out.sweeps.assign(count, -1);
  out.status.assign(count, divot::transport_status::empty);
  divot::device_transport<> to;
  to.transport_cost = {out.transport_cost.data(), p.count};
  to.entropic = {out.entropic.data(), p.count};
  to.row_error = {out.row_error.data(), p.count};
  to.column_error = {out.column_error.data(), p.count};
  to.sweeps = {out.sweeps.data(), p.count};
  to.status = {out.status.data(), p.count};
  to.row_potentials = {out.f.data(), p.count, p.rows};
  to.column_potentials = {out.g.data(), p.count, p.columns};
  to.plan = {out.plan.data(), p.count, p.rows, p.columns};
  using masses = divot::device_view<double const>;
  divot::device_stack<double const> const stack(costs.data(), p.count, p.rows, p.columns, step,
                                                stride);
  auto const call = divot::device_sinkhorn_of(
      stack, equal ? masses() : masses(a.data(), p.count, p.rows),
      equal ? masses() : masses(b.data(), p.count, p.columns), options, to);
  std::vector<double> memory(
      static_cast<std::size_t>(divot::sinkhorn_group_bytes(p.rows, p.columns)) / sizeof(double),
      std::nan(""));
  divot::index next = 0;
  imitated_group::run(threads, [&] {
    divot::solve_from_queue<imitated_group>(call, memory.data(), [&] { return next++; });
  });
  return out;
}

/// The same problems by seq, whose sweeps are plain ones then, too.
void agree(problems const& p, divot::sinkhorn_options const& options, double bound,
           bool equal = false) {
  auto const got = imitate(p, options, 3, equal);
  auto plain = options;
  plain.over_relaxation = false;
  for (divot::index k = 0; k < p.count; ++k) {
    CAPTURE(k);
    auto const at = static_cast<std::size_t>(k);
    auto const a = equal ? divot::equal_masses(p.rows) : p.a[at];
    auto const b = equal ? divot::equal_masses(p.columns) : p.b[at];
    auto const right = divot::sinkhorn(divot::seq, p.costs[at], a, b, plain);
    CHECK(got.status[at] == right.status);
    if (options.sweeps > 0 || (options.newton_steps == 0 && p.columns <= p.rows))
      CHECK(got.sweeps[at] == right.sweeps);
    CHECK(got.transport_cost[at] == doctest::Approx(right.transport_cost).epsilon(bound));
    CHECK(got.entropic[at] == doctest::Approx(right.entropic).epsilon(bound));
    double const errors = right.row_error + right.column_error;
    CHECK(std::abs(got.row_error[at] + got.column_error[at] - errors) <= bound + .5 * errors);
    vector const f = right.row_potentials(), g = right.column_potentials();
    matrix const plan = right.plan();
    for (divot::index i = 0; i < p.rows; ++i) {
      double const own = got.f[static_cast<std::size_t>(k * p.rows + i)];
      if (std::isfinite(f(i))) {
        CHECK(std::abs(own - f(i)) <= bound);
      } else {
        CHECK(own == f(i));
      }
      for (divot::index j = 0; j < p.columns; ++j) {
        auto const place = static_cast<std::size_t>((k * p.rows + i) * p.columns + j);
        CHECK(std::abs(got.plan[place] - plan(i, j)) <= bound);
      }
    }
    for (divot::index j = 0; j < p.columns; ++j) {
      double const own = got.g[static_cast<std::size_t>(k * p.columns + j)];
      if (std::isfinite(g(j))) {
        CHECK(std::abs(own - g(j)) <= bound);
      } else {
        CHECK(own == g(j));
      }
    }
  }
}

}  // namespace

TEST_CASE("a device's batch agrees with seq after so many sweeps, in either domain") {
  for (shape const& x : {shape{1, 1}, {1, 4}, {3, 2}, {7, 33}, {40, 35}, {64, 64}}) {
    int const n = x.n, m = x.m;
    CAPTURE(n);
    CAPTURE(m);
    problems const p(3, n, m, 50);
    for (double const epsilon : {1., .1, .002}) {
      CAPTURE(epsilon);
      agree(p, {.epsilon = epsilon, .sweeps = 20}, 1e-11);
      agree(p, {.epsilon = epsilon, .sweeps = 5}, 1e-11, true);
    }
  }
}

TEST_CASE("a device's batch sweeps each problem until it is done itself") {
  problems p(4, 20, 12, 51);
  p.costs[2] *= 20;
  auto const got = imitate(p, {.epsilon = .1, .newton_steps = 0});
  CHECK(got.sweeps[2] > 3 * got.sweeps[0]);
  agree(p, {.epsilon = .1, .newton_steps = 0}, 1e-8);
  agree(p, {.epsilon = .1}, 1e-8);
  agree(p, {.epsilon = .1, .tolerance = 1e-4, .newton_steps = 0}, 1e-8);
  agree(p, {.epsilon = .1, .tolerance = 1e-4, .max_sweeps = 7, .newton_steps = 0}, 1e-8);
  // costs far from 0
  for (auto& c : p.costs) c.array() += 1e4;
  agree(p, {.epsilon = .1}, 1e-7);
}

TEST_CASE("a device's batch makes Newton's steps where sweeps are slow") {
  for (shape const& x : {shape{12, 12}, {40, 30}}) {
    int const n = x.n, m = x.m;
    problems const p(3, n, m, 55);
    for (double const epsilon : {.02, .005, .001}) {
      CAPTURE(epsilon);
      auto const got = imitate(p, {.epsilon = epsilon});
      for (std::size_t k = 0; k < 3; ++k) {
        CAPTURE(got.sweeps[k]);
        CHECK(got.sweeps[k] < 2000);
      }
      agree(p, {.epsilon = epsilon}, 1e-7);
    }
  }
}

TEST_CASE("Newton's steps on a device are held back where columns hardly hang together") {
  // from class to class at their distances, masses of all sizes, one row and one column without
  int const n = 30;
  problems p(3, n, n, 61);
  for (std::size_t k = 0; k < 3; ++k) {
    matrix const x = random_points(n, 16, 40 + static_cast<unsigned>(k));
    for (Eigen::Index i = 0; i < n; ++i) {
      p.costs[k].row(i) = (x.rowwise() - x.row(i)).rowwise().norm().transpose();
    }
    p.costs[k] /= p.costs[k].maxCoeff();
    unsigned seed = 50 + 2 * static_cast<unsigned>(k);
    for (vector* const masses : {&p.a[k], &p.b[k]}) {
      *masses = (3 * random_points(n, 1, seed++).col(0).array()).exp();
      (*masses)(7) = 0;
      *masses /= masses->sum();
    }
  }
  for (double const epsilon : {.1, .02, .005}) {
    CAPTURE(epsilon);
    auto const got = imitate(p, {.epsilon = epsilon});
    for (std::size_t k = 0; k < 3; ++k) {
      CAPTURE(got.sweeps[k]);
      CHECK(got.status[k] == divot::transport_status::converged);
      CHECK(got.sweeps[k] < 1500);
    }
    agree(p, {.epsilon = epsilon}, 1e-7);
  }
}

TEST_CASE("rows and columns without mass are outside a device's problem") {
  problems p(2, 6, 9, 52);
  for (int k = 0; k < 2; ++k) {
    auto const at = static_cast<std::size_t>(k);
    p.a[at](k + 1) = 0;
    p.b[at](3) = p.b[at](8) = 0;
    p.a[at] /= p.a[at].sum();
    p.b[at] /= p.b[at].sum();
  }
  agree(p, {.epsilon = .2, .sweeps = 9}, 1e-11);
  agree(p, {.epsilon = .2}, 1e-8);
  agree(p, {.epsilon = .001, .sweeps = 9}, 1e-11);
}

TEST_CASE("a problem that is wrong says so, and the others are as without it") {
  problems p(5, 4, 3, 53);
  auto const right = imitate(p, {});
  p.costs[1](2, 1) = std::numeric_limits<double>::infinity();
  p.a[2](0) = -1;
  p.b[3] *= 2;
  auto const got = imitate(p, {});
  using divot::transport_status;
  CHECK(got.status[1] == transport_status::bad_input);
  CHECK(got.status[2] == transport_status::bad_input);
  CHECK(got.status[3] == transport_status::mass_mismatch);
  for (std::size_t const k : {0u, 4u}) {
    CHECK(got.status[k] == transport_status::converged);
    CHECK(got.entropic[k] == right.entropic[k]);
  }
  for (std::size_t const k : {1u, 2u, 3u}) {
    CHECK(std::isnan(got.transport_cost[k]));
    CHECK(got.plan[k * 12] == 0);
    CHECK(got.f[k * 4] == -std::numeric_limits<double>::infinity());
    CHECK(got.sweeps[k] == 0);
  }
  p.a[4].setZero();
  p.b[4].setZero();
  CHECK(imitate(p, {}).status[4] == transport_status::empty);
}

TEST_CASE("threads change no bit of what sweeps compute, nor do other problems") {
  problems p(2, 40, 37, 54);
  auto const one = imitate(p, {.sweeps = 8}, 1), five = imitate(p, {.sweeps = 8}, 5);
  CHECK(one.plan == five.plan);
  p.count = 1;
  auto const alone = imitate(p, {.sweeps = 8}, 5);
  CHECK(std::vector<double>(five.plan.begin(), five.plan.begin() + 40 * 37) == alone.plan);
  CHECK(alone.entropic[0] == five.entropic[0]);
}

TEST_CASE("a device's ground costs are those of their definition, whatever the storage") {
  std::mt19937_64 random(56);
  std::uniform_real_distribution<double> uniform(-1, 1);
  using tiles = divot::ground_tiles<double, imitated_group, 2>;
  for (int const coordinates : {1, 3, 40, 300}) {
    int const n = 11, m = 5;
    std::vector<float> x, y;
    for (int k = 0; k < 2 * n * coordinates; ++k) x.push_back(static_cast<float>(uniform(random)));
    for (int k = 0; k < 2 * m * coordinates; ++k) y.push_back(static_cast<float>(uniform(random)));
    auto const check = [&](auto const& ground, auto const& cost) {
      std::vector<double> out(2 * n * m, -1);
      auto const call = divot::device_costs_of(
          ground, divot::device_stack<float const>(x.data(), 2, n, coordinates),
          divot::device_stack<float const>(y.data(), 2, m, coordinates),
          divot::device_stack<double>(out.data(), 2, n, m));
      tiles::memory memory;
      imitated_group::run(tiles::threads, [&] {
        for (divot::index k = 0; k < divot::cost_tiles<tiles>(call); ++k) {
          divot::find_costs<tiles>(call, k, memory);
        }
      });
      using points = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
      for (int k = 0; k < 2; ++k) {
        matrix const
            of_x =
                Eigen::Map<points>(x.data() + k * n * coordinates, n, coordinates).cast<double>(),
            of_y =
                Eigen::Map<points>(y.data() + k * m * coordinates, m, coordinates).cast<double>();
        for (int i = 0; i < n; ++i) {
          for (int j = 0; j < m; ++j) {
            double const right = cost(vector(of_x.row(i) - of_y.row(j)));
            CHECK(out[static_cast<std::size_t>((k * n + i) * m + j)] ==
                  doctest::Approx(right).epsilon(1e-13));
          }
        }
      }
    };
    check(divot::ground::l1{}, [](vector const& d) { return d.lpNorm<1>(); });
    check(divot::ground::l2{}, [](vector const& d) { return d.norm(); });
    check(divot::ground::squared_l2{}, [](vector const& d) { return d.squaredNorm(); });
  }
}

TEST_CASE("what a device's batch does not take is named") {
  std::vector<double> numbers(1000);
  divot::device_stack<double> const costs(numbers.data(), 2, 3, 4);
  divot::device_view<double> const a(numbers.data() + 100, 2, 3), b(numbers.data() + 200, 2, 4);
  divot::device_transport<> to;
  auto const refused = [&](auto const& c, auto const& x, auto const& y,
                           divot::sinkhorn_options const& options) {
    return refusal([&] { divot::device_sinkhorn_of(c, x, y, options, to); });
  };
  auto const says = [](std::string const& text, char const* part) {
    CAPTURE(text);
    return text.find(part) != std::string::npos;
  };
  CHECK(refused(costs, a, b, {}) == "");
  CHECK(refused(costs, divot::device_view<double>(numbers.data(), 1, 3), b, {}) == "");
  CHECK(says(refused(costs, b, a, {}), "the row masses are 2 x 4"));
  CHECK(says(refused(costs, a, b, {.epsilon = 0}), "epsilon is 0"));
  CHECK(says(refused(costs, a, b, {.sweeps = -1}), "sweeps, max_sweeps and newton_steps are -1"));
  CHECK(says(refused(costs, a, b, {.row_penalty = 1}), "penalties are not there on a device"));
  CHECK(says(refused(costs, a, b, {.start = numbers}), "a start is not there on a device"));
  using stack = divot::device_stack<double>;
  CHECK(says(refused(stack(numbers.data(), 2, 3, 4, 3, 12), a, b, {}), "rows are 3 apart"));
  CHECK(says(refused(stack(numbers.data(), 2, 3, 4, 4, 11), a, b, {}), "matrices are 11 apart"));
  CHECK(says(refused(stack(nullptr, 2, 3, 4), a, b, {}), "a null pointer"));
  to.status = {nullptr, 0};
  to.sweeps = {reinterpret_cast<int*>(numbers.data()), 3};
  CHECK(says(refused(costs, a, b, {}), "sweeps has 3 entries for 2 problems"));
  to.sweeps = {};
  to.plan = {numbers.data() + 4, 2, 3, 4};
  CHECK(says(refused(costs, a, b, {}), "overlap"));
  to.plan = {numbers.data(), 2, 3, 4};
  CHECK(refused(costs, a, b, {}) == "");  // in place
}

TEST_CASE("problems go to warps, blocks or clusters by their size alone") {
  divot::device_limits const device{132, 227 << 10, 16};
  using divot::sinkhorn_team;
  auto const plan = [&](divot::index count, divot::index n, divot::index m) {
    auto const l = divot::layout_of_problems(device, count, n, m);
    CHECK(l.grid >= 1);
    CHECK(l.grid % l.cluster == 0);
    CHECK(l.threads % 32 == 0);
    CHECK(l.shared_bytes <= static_cast<std::size_t>(device.shared_bytes));
    return l;
  };
  CHECK(plan(1, 10, 10).team == sinkhorn_team::warp);
  CHECK(plan(100000, 32, 32).team == sinkhorn_team::warp);
  CHECK(plan(4096, 64, 64).team == sinkhorn_team::block);
  CHECK(plan(4096, 64, 64).threads == 128);
  CHECK(plan(1, 64, 64).threads == 128);
  CHECK(plan(10, 300, 300).team == sinkhorn_team::cluster);
  CHECK(plan(10, 300, 300).cluster == 8);
  CHECK(plan(0, 5, 5).grid == 1);
}
