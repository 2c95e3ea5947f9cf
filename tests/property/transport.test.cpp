// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What is known of entropic transport, and of its limit as epsilon goes to 0.

#include <doctest/doctest.h>
#include <divot/sinkhorn.hpp>
#include <divot/wasserstein.hpp>
#include <unit/refusal.hpp>
#include <unit/transport_problem.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace {

using matrix = Eigen::MatrixXd;
using vector = Eigen::VectorXd;
using indices = std::vector<Eigen::Index>;
using divot::transport_objective;
using divot::transport_status;

using problem = transport_problem;

auto solve(problem const& p, double epsilon, double tolerance = 1e-13) {
  return divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = epsilon, .tolerance = tolerance});
}

double far(double x, double y) { return std::abs(x - y); }

/// |x − y|^p.
matrix ways(vector const& x, vector const& y, double order) {
  return matrix::NullaryExpr(x.size(), y.size(), [&](Eigen::Index i, Eigen::Index j) {
    return std::pow(std::abs(x(i) - y(j)), order);
  });
}

double entropy(vector const& masses) { return -masses.dot(masses.array().log().matrix()); }

/// The cheapest plan between masses that are whole numbers of one unit, which moves whole units:
/// every assignment of unit to unit is tried.
double cheapest(matrix const& cost, std::vector<int> const& a, std::vector<int> const& b) {
  indices from, to;
  for (std::size_t i = 0; i < a.size(); ++i) {
    from.insert(from.end(), static_cast<std::size_t>(a[i]), static_cast<Eigen::Index>(i));
  }
  for (std::size_t j = 0; j < b.size(); ++j) {
    to.insert(to.end(), static_cast<std::size_t>(b[j]), static_cast<Eigen::Index>(j));
  }
  double least = HUGE_VAL;
  do {
    double sum = 0;
    for (std::size_t k = 0; k < from.size(); ++k) sum += cost(from[k], to[k]);
    least = std::min(least, sum);
  } while (std::next_permutation(to.begin(), to.end()));
  return least / static_cast<double>(from.size());
}

/// What is true for every epsilon: the cheapest cost, that of the plan, the entropic value and the
/// cheapest cost with all the divergence a plan may have, in this order.
void lies_between(double least, problem const& p, double epsilon) {
  CAPTURE(epsilon);
  auto const s = solve(p, epsilon, 0);
  CHECK(s.status == transport_status::converged);
  CHECK(s.transport_cost >= least - 1e-8);
  CHECK(s.entropic >= s.transport_cost - 1e-15);
  CHECK(s.entropic <= least + epsilon * std::min(entropy(p.a), entropy(p.b)) + 1e-8);
  CHECK(s.dual <= s.entropic + 1e-8);
}

TEST_CASE("two by two: both values at three epsilons") {
  problem const p{matrix{{0, 1}, {1, 0}}, vector{{.5, .5}}, vector{{.5, .5}}};
  matrix const plan{{.365529289315002, .134470710684998}, {.134470710684998, .365529289315002}};
  CHECK((solve(p, 1).plan() - plan).cwiseAbs().maxCoeff() <= 1e-15);
  CHECK(far(solve(p, .5).plan()(0, 0), .440398538988941) <= 1e-15);
  CHECK(far(solve(p, .5).transport_cost, .119202922022118) <= 1e-15);
  CHECK(far(solve(p, .1).transport_cost, 4.5397868702e-5) <= 1e-15);
}

TEST_CASE("Gaussians: the entropic value in closed form") {
  constexpr Eigen::Index points = 801;
  vector const x = vector::LinSpaced(points, -8, 8);
  problem p{ways(x, x, 2), (-x.array().square() / 2).exp(),
            (-(x.array() - 1).square() / (2 * .25)).exp()};
  p.a /= p.a.sum();
  p.b /= p.b.sum();
  double const variance_x = 1, variance_y = .25;
  double const product = std::sqrt(variance_x * variance_y);
  for (double const epsilon : {.1, 1.}) {
    CAPTURE(epsilon);
    double const value = epsilon < 1 ? 1.416378994 : 1.872571924;
    // the plan is Gaussian; its correlation r has epsilon r = 2 product (1 − r²)
    double const h = epsilon / (4 * product), r = std::sqrt(1 + h * h) - h;
    double const closed =
        1 + variance_x + variance_y - 2 * product * r - epsilon / 2 * std::log1p(-r * r);
    auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = epsilon});
    CHECK(s.status == transport_status::converged);
    CHECK(far(closed, value) <= 1e-9);
    // the marginals are off by up to 1e-9: the dual by the square of that
    CHECK(far(s.dual, value) <= 1e-9);
    CHECK(far(s.entropic, value) <= 1e-8);
    CHECK(far(s.transport_cost, 2.25 - 2 * product * r) <= 1e-8);
    CHECK(s.entropic > divot::wasserstein_1d(x, x, p.a, p.b, 2).transport_cost);
  }
  CHECK(far(divot::wasserstein_1d(x, x, p.a, p.b, 2).transport_cost, 1.25) <= 1e-3);
}

TEST_CASE("an error of the marginals is squared in the dual, and is not in the plan's cost") {
  problem const p = random_problem(12, 10, 3);
  auto const exact = solve(p, .2);
  double dual = 0, cost = 0;
  for (int const sweeps : {16, 12, 8}) {
    auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .2, .sweeps = sweeps});
    double const error = s.row_error + s.column_error;
    double const of_dual = (exact.dual - s.dual) / (error * error);
    double const of_cost = far(s.transport_cost, exact.transport_cost) / error;
    if (sweeps == 16) {
      // small, and there is more to see than roundings
      CHECK(error <= 1e-3);
      CHECK(exact.dual - s.dual >= 1e-9);
      dual = of_dual;
      cost = of_cost;
    }
    CHECK(of_dual == doctest::Approx(dual).epsilon(.02));
    CHECK(of_cost == doctest::Approx(cost).epsilon(.02));
  }
}

TEST_CASE("values lie between the cheapest plan's cost and epsilon times an entropy above it") {
  problem p{matrix{{0, 1}, {2, .5}, {1, 3}}, vector{{.2, .3, .5}}, vector{{.6, .4}}};
  CHECK(far(cheapest(p.cost, {2, 3, 5}, {6, 4}), .75) <= 1e-15);
  for (double const epsilon : {10., 1., .1, .01, 1e-3, 1e-4}) lies_between(.75, p, epsilon);
  CHECK(far(solve(p, .02, 0).transport_cost, .75) <= 1e-8);

  for (unsigned const seed : {2u, 3u, 4u}) {
    p = random_problem(5, 4, seed);
    std::vector<int> const a{2, 1, 3, 1, 2}, b{4, 1, 2, 2};
    for (Eigen::Index i = 0; i < 5; ++i) p.a(i) = a[static_cast<std::size_t>(i)] / 9.;
    for (Eigen::Index j = 0; j < 4; ++j) p.b(j) = b[static_cast<std::size_t>(j)] / 9.;
    double const least = cheapest(p.cost, a, b);
    for (double const epsilon : {1., .1, .01, 1e-3, 1e-4}) lies_between(least, p, epsilon);
    // towards the end the entropy costs nothing: the plan is the cheapest one
    CHECK(far(solve(p, 1e-3, 0).transport_cost, least) <= 1e-8);
  }
}

TEST_CASE("on the line the limit is wasserstein_1d's: values, plan and gradients") {
  std::mt19937 generator(5);
  std::normal_distribution<double> normal;
  problem p = random_problem(9, 7, 6);
  vector const x = vector::NullaryExpr(9, [&] { return normal(generator); });
  vector const y = vector::NullaryExpr(7, [&] { return 2 * normal(generator) - 1; });
  for (double const order : {1., 2., 3.}) {
    CAPTURE(order);
    p.cost = ways(x, y, order);
    auto const line = divot::wasserstein_1d(x, y, p.a, p.b, order);
    for (double const epsilon : {1., .1, .01, 1e-3}) lies_between(line.transport_cost, p, epsilon);
    if (order == 1) continue;  // many plans are cheapest
    auto const s = solve(p, 2e-4, 0);
    matrix plan = matrix::Zero(9, 7);
    for (auto const& each : line.plan()) plan(each.row, each.column) = each.mass;
    CHECK(far(s.transport_cost, line.transport_cost) <= 1e-6);
    CHECK((s.plan() - plan).cwiseAbs().maxCoeff() <= 1e-6);

    auto const slope = line.gradient();
    auto const g = s.gradient(transport_objective::entropic);
    matrix const way = x.replicate(1, 7) - y.transpose().replicate(9, 1);
    matrix const cost_slope =
        order * way.array().sign() * way.array().abs().pow(order - 1) * g.cost.array();
    CHECK((cost_slope.rowwise().sum() - slope.x).cwiseAbs().maxCoeff() <= 1e-5);
    CHECK((-cost_slope.colwise().sum().transpose() - slope.y).cwiseAbs().maxCoeff() <= 1e-5);
    // the potentials, each up to a constant
    auto const centred = [](vector const& f) { return vector(f.array() - f(0)); };
    CHECK((centred(g.row_mass) - centred(slope.x_mass)).cwiseAbs().maxCoeff() <= 1e-2);
    CHECK((centred(g.column_mass) - centred(slope.y_mass)).cwiseAbs().maxCoeff() <= 1e-2);
  }
}

TEST_CASE("less half of either side with itself, the value is positive between different points") {
  std::mt19937 generator(7);
  std::normal_distribution<double> normal;
  vector const x = vector::NullaryExpr(8, [&] { return normal(generator); });
  vector const y = vector::NullaryExpr(6, [&] { return normal(generator); });
  for (double const epsilon : {10., 1., .1}) {
    auto const value = [epsilon](vector const& from, vector const& to) {
      return divot::sinkhorn(ways(from, to, 2), {.epsilon = epsilon, .tolerance = 1e-12}).entropic;
    };
    CHECK(value(x, y) - (value(x, x) + value(y, y)) / 2 > 1e-3);
    CHECK(far(value(x, x), value(x.reverse(), x)) <= 1e-12);
  }
}

TEST_CASE("constants of rows and columns, order, side, scale and weight: values and gradients") {
  problem const p = random_problem(6, 4, 8);
  indices const rows{4, 0, 5, 2, 1, 3}, columns{2, 0, 3, 1};
  vector const u{{.3, -.2, 0, 1, .5, -.7}}, v{{.1, .9, -.4, 0}};
  auto const near = [](matrix const& x, matrix const& y) {
    return (x - y).cwiseAbs().maxCoeff() <= 1e-10;
  };
  problem const shuffled{p.cost(rows, columns), p.a(rows), p.b(columns)};
  problem const turned{p.cost.transpose(), p.b, p.a};
  problem const scaled{8 * p.cost, p.a, p.b}, heavy{p.cost, 4 * p.a, 4 * p.b};
  problem const lifted{p.cost + u.replicate(1, 4) + v.transpose().replicate(6, 1), p.a, p.b};
  double const raised = u.dot(p.a) + v.dot(p.b);
  auto const s = solve(p, .1), moved = solve(lifted, .1);
  CHECK(near(moved.plan(), s.plan()));
  CHECK(far(moved.transport_cost, s.transport_cost + raised) <= 1e-11);
  CHECK(far(moved.entropic, s.entropic + raised) <= 1e-11);
  CHECK(far(solve(shuffled, .1).entropic, s.entropic) <= 1e-11);
  CHECK(far(solve(turned, .1).entropic, s.entropic) <= 1e-11);
  CHECK(far(solve(scaled, .8).entropic, 8 * s.entropic) <= 1e-10);
  CHECK(far(solve(heavy, .1).transport_cost, 4 * s.transport_cost) <= 1e-11);
  for (auto const of : {transport_objective::entropic, transport_objective::transport_cost}) {
    auto const g = s.gradient(of);
    CHECK(near(solve(shuffled, .1).gradient(of).cost, g.cost(rows, columns)));
    CHECK(near(solve(turned, .1).gradient(of).cost, g.cost.transpose()));
    CHECK(near(solve(scaled, .8).gradient(of).cost, g.cost));
    CHECK(near(solve(heavy, .1).gradient(of).cost, 4 * g.cost));
    CHECK(far(solve(scaled, .8).gradient(of).epsilon, g.epsilon) <= 1e-10);
    // a row's or a column's constant is paid by its mass, whatever the plan
    CHECK(near(g.cost.rowwise().sum(), p.a));
    CHECK(near(g.cost.colwise().sum().transpose(), p.b));
    CHECK(near(solve(lifted, .1).gradient(of).cost,
               of == transport_objective::entropic ? s.plan() : g.cost));
  }
}

TEST_CASE("gradients are differences for equal, unequal and missing masses, tall and wide") {
  struct shape {
    Eigen::Index rows, columns;
    bool equal, missing;
  };
  for (shape const& x : {shape{3, 6, true, false}, {6, 3, false, true}, {4, 4, false, true}}) {
    problem p = random_problem(x.rows, x.columns, 9);
    if (x.equal) {
      p.a.setConstant(1. / static_cast<double>(x.rows));
      p.b.setConstant(1. / static_cast<double>(x.columns));
    }
    if (x.missing) {
      p.a(1) = p.b(2) = 0;
      p.a /= p.a.sum();
      p.b /= p.b.sum();
    }
    for (auto const of : {transport_objective::entropic, transport_objective::transport_cost}) {
      auto const g = solve(p, .1).gradient(of);
      auto const value = [&](problem const& q) {
        auto const s = solve(q, .1);
        return of == transport_objective::entropic ? s.entropic : s.transport_cost;
      };
      matrix differences(x.rows, x.columns);
      for (Eigen::Index i = 0; i < x.rows; ++i) {
        for (Eigen::Index j = 0; j < x.columns; ++j) {
          auto const moved = [&](double by) {
            problem q = p;
            q.cost(i, j) += by;
            return value(q);
          };
          differences(i, j) = slope_at_zero(moved, 1e-4);
        }
      }
      CHECK((differences - g.cost).norm() <= 1e-6 * g.cost.norm());
      auto const exchanged = [&](double by) {
        problem q = p;
        q.a(0) += by;
        q.a(2) -= by;
        return value(q);
      };
      double const slope = slope_at_zero(exchanged, 1e-4);
      CHECK(far(slope, g.row_mass(0) - g.row_mass(2)) <= 1e-6 * (1 + std::abs(slope)));
    }
  }
}

TEST_CASE("what is not solved says so, and has no gradient of the limit") {
  problem const p = random_problem(8, 8, 10);
  auto const s =
      divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .02, .max_sweeps = 5, .newton_steps = 0});
  CHECK(s.status == transport_status::max_sweeps);
  CHECK(s.row_error + s.column_error > 1e-9);
  for (auto const of : {transport_objective::entropic, transport_objective::transport_cost}) {
    CHECK(refusal([&] { s.gradient(of); }).find("is not solved") != std::string::npos);
  }
}

}  // namespace
