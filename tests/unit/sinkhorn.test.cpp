// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/divot.hpp>
#include <unit/refusal.hpp>
#include <unit/transport_problem.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace {

using matrix = Eigen::MatrixXd;
using vector = Eigen::VectorXd;
using divot::transport_objective;
using divot::transport_status;

using problem = transport_problem;

/// L1 costs of a batch late in training: a confident teacher and a student that follows it.
matrix late(Eigen::Index rows, Eigen::Index classes, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  std::uniform_int_distribution<Eigen::Index> any(0, classes - 1);
  matrix t(rows, classes), s(rows, classes), cost(rows, rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    Eigen::Index const label = any(generator);
    for (Eigen::Index k = 0; k < classes; ++k) {
      t(i, k) = normal(generator) + (k == label ? 8 : 0);
      s(i, k) = normal(generator) + (k == label ? 4 : 0);
    }
  }
  divot::softmax(t, t);
  divot::softmax(s, s);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < rows; ++j) cost(i, j) = (s.row(i) - t.row(j)).lpNorm<1>();
  }
  return cost;
}

double far(double x, double y) { return std::abs(x - y); }

TEST_CASE("two by two: the plan is a logistic function of 1/epsilon") {
  matrix const cost{{0, 1}, {1, 0}};
  for (double const epsilon : {1., .5, .1}) {
    auto const s = divot::sinkhorn(cost, {.epsilon = epsilon});
    CHECK(far(s.plan()(0, 0), .5 / (1 + std::exp(-1 / epsilon))) <= 1e-14);
    CHECK(s.status == transport_status::converged);
  }
  auto const one = divot::sinkhorn(cost, {.epsilon = 1});
  CHECK(far(one.transport_cost, .268941421369995) <= 1e-14);
  CHECK(far(one.entropic, .379885493041722) <= 1e-14);
  CHECK(far(divot::sinkhorn(cost, {.epsilon = .1}).entropic, .069310178166073) <= 1e-14);
}

TEST_CASE("three by two with masses: plan, values and the implicit gradient") {
  matrix const cost{{0, 1}, {2, .5}, {1, 3}};
  vector const a{{.2, .3, .5}}, b{{.6, .4}};
  auto const s = divot::sinkhorn(cost, a, b, {.epsilon = 1, .tolerance = 1e-14});
  matrix const plan{{.133952872646, .066047127354},
                    {.042815978744, .257184021256},
                    {.423231148610, .076768851390}};
  matrix const slope{{.142071502951, .057928497049},
                     {-.042210717635, .342210717635},
                     {.500139214684, -.000139214684}};
  CHECK((s.plan() - plan).cwiseAbs().maxCoeff() <= 1e-12);
  CHECK(far(s.transport_cost, .933808798251) <= 1e-12);
  CHECK(far(s.entropic, 1.142591859646) <= 1e-12);
  auto const g = s.gradient(transport_objective::transport_cost);
  CHECK((g.cost - slope).cwiseAbs().maxCoeff() <= 1e-12);
  CHECK((g.cost.rowwise().sum() - a).cwiseAbs().maxCoeff() <= 1e-12);
  CHECK(far(g.epsilon, .2895) <= 1e-4);
  auto const small = divot::sinkhorn(cost, a, b, {.epsilon = .1});
  CHECK(far(small.transport_cost, .750022688647) <= 1e-9);
  CHECK(far(small.entropic, .803435953659) <= 1e-9);
}

TEST_CASE("costs that separate leave the plan at a⊗b, and a single row takes all of b") {
  problem p = random_problem(4, 6, 1);
  p.cost = (p.a * 3).replicate(1, 6) + (p.b * 2).transpose().replicate(4, 1);
  for (double const epsilon : {1., .01}) {
    auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = epsilon});
    CHECK((s.plan() - p.a * p.b.transpose()).cwiseAbs().maxCoeff() <= 1e-9);
  }
  auto const one = divot::sinkhorn(matrix(p.cost.row(0)), vector::Ones(1), p.b);
  CHECK((one.plan().transpose() - p.b).cwiseAbs().maxCoeff() <= 1e-15);
}

TEST_CASE("constants, scales, orders and transposition of the problem") {
  problem const p = random_problem(5, 8, 2);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .1, .tolerance = 1e-12});
  auto const near = [&](matrix const& plan) { return (plan - s.plan()).cwiseAbs().maxCoeff(); };
  divot::sinkhorn_options const same{.epsilon = .1, .tolerance = 1e-12};
  CHECK(near(divot::sinkhorn(p.cost.array() + 7, p.a, p.b, same).plan()) <= 1e-11);
  CHECK(near(divot::sinkhorn(5 * p.cost, p.a, p.b, {.epsilon = .5, .tolerance = 1e-12}).plan()) <=
        1e-11);
  CHECK(near(divot::sinkhorn(p.cost.transpose(), p.b, p.a, same).plan().transpose()) <= 1e-11);
  CHECK(near(divot::sinkhorn(p.cost.colwise().reverse(), p.a.reverse(), p.b, same)
                 .plan()
                 .colwise()
                 .reverse()) <= 1e-11);
  CHECK(near(divot::sinkhorn(divot::seq, p.cost, p.a, p.b, same).plan()) <= 1e-11);
  auto const heavy = divot::sinkhorn(p.cost, 3 * p.a, 3 * p.b, same);
  CHECK(near(heavy.plan() / 3) <= 1e-11);
}

TEST_CASE("potentials, values and errors are those of the plan") {
  problem const p = random_problem(7, 5, 3);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .05});
  matrix const plan = s.plan();
  matrix exponent = -p.cost;
  exponent.colwise() += s.row_potentials();
  exponent.rowwise() += s.column_potentials().transpose();
  CHECK((plan - (exponent / .05).array().exp().matrix()).cwiseAbs().maxCoeff() <= 1e-15);
  CHECK(far(s.transport_cost, plan.cwiseProduct(p.cost).sum()) <= 1e-14);
  double divergence = 0;
  for (Eigen::Index i = 0; i < 7; ++i) {
    for (Eigen::Index j = 0; j < 5; ++j) {
      divergence += plan(i, j) * std::log(plan(i, j) / (p.a(i) * p.b(j)));
    }
  }
  CHECK(far(s.entropic, s.transport_cost + .05 * divergence) <= 1e-10);
  CHECK(far(s.dual, s.entropic) <= 1e-9);
  CHECK(far(s.row_error, (plan.rowwise().sum() - p.a).lpNorm<1>()) <= 1e-14);
  CHECK(far(s.column_error, (plan.colwise().sum().transpose() - p.b).lpNorm<1>()) <= 1e-14);
  CHECK(s.row_error + s.column_error <= 1e-9);
}

TEST_CASE("gradients are those of central differences: costs, masses and epsilon") {
  problem const p = random_problem(4, 5, 4);
  for (double const epsilon : {1., .1, .03}) {
    for (auto const of : {transport_objective::entropic, transport_objective::transport_cost}) {
      divot::sinkhorn_options const options{.epsilon = epsilon, .tolerance = 1e-14};
      auto const value = [&](problem const& x, double e) {
        auto const s = divot::sinkhorn(x.cost, x.a, x.b, {.epsilon = e, .tolerance = 1e-14});
        return of == transport_objective::entropic ? s.entropic : s.transport_cost;
      };
      auto const g = divot::sinkhorn(p.cost, p.a, p.b, options).gradient(of);
      CAPTURE(epsilon);
      double const step = 1e-4;
      double worst = 0;
      auto const compare = [&](double slope, std::function<void(problem&, double)> const& move) {
        auto const moved = [&](double by) {
          problem x = p;
          move(x, by);
          return value(x, epsilon);
        };
        worst = std::max(worst, far(slope, slope_at_zero(moved, step)));
      };
      for (Eigen::Index i = 0; i < 4; ++i) {
        for (Eigen::Index j = 0; j < 5; ++j) {
          compare(g.cost(i, j), [=](problem& x, double by) { x.cost(i, j) += by; });
        }
      }
      CHECK(worst <= 1e-6 * g.cost.norm());
      worst = 0;
      // mass moves between two rows, or two columns
      compare(g.row_mass(2) - g.row_mass(0), [](problem& x, double by) {
        x.a(2) += by;
        x.a(0) -= by;
      });
      compare(g.column_mass(4) - g.column_mass(1), [](problem& x, double by) {
        x.b(4) += by;
        x.b(1) -= by;
      });
      CHECK(worst <= 2e-6 * (g.row_mass.norm() + g.column_mass.norm()));
      double const slope =
          slope_at_zero([&](double by) { return value(p, epsilon + by); }, 1e-4 * epsilon);
      CHECK(far(slope, g.epsilon) <= 1e-6 * (1 + std::abs(g.epsilon)));
    }
  }
}

TEST_CASE("rows and columns of no mass have no plan and no gradient") {
  problem const p = random_problem(3, 4, 5);
  matrix cost(4, 5);
  cost << p.cost.row(0), 9., matrix::Constant(1, 5, 3), p.cost.row(1), 9., p.cost.row(2), 9.;
  vector a(4), b(5);
  a << p.a(0), 0, p.a(1), p.a(2);
  b << p.b, 0;
  auto const s = divot::sinkhorn(cost, a, b), few = divot::sinkhorn(p.cost, p.a, p.b);
  CHECK(s.transport_cost == few.transport_cost);
  CHECK((s.plan().row(1).array() == 0).all());
  CHECK((s.plan().col(4).array() == 0).all());
  for (auto const of : {transport_objective::entropic, transport_objective::transport_cost}) {
    auto const g = s.gradient(of);
    CHECK((g.cost.row(1).array() == 0).all());
    CHECK(g.row_mass(1) == 0);
    CHECK(g.column_mass(4) == 0);
    CHECK(g.cost.allFinite());
    CHECK(g.cost.row(3).head(4) == few.gradient(of).cost.row(2));
  }
  CHECK(std::isinf(s.row_potentials()(1)));
  CHECK(divot::sinkhorn(matrix(0, 0)).status == transport_status::empty);
}

TEST_CASE("batches late in training take no longer than ten sweeps and twenty steps") {
  struct batch_of {
    Eigen::Index rows, classes;
    double epsilon;
  };
  for (batch_of const& x :
       {batch_of{64, 10, .1}, {64, 10, .05}, {64, 100, .1}, {64, 100, .05}, {256, 100, .05}}) {
    for (unsigned const seed : {1u, 2u, 3u}) {
      matrix const cost = late(x.rows, x.classes, seed);
      auto const s = divot::sinkhorn(cost, {.epsilon = x.epsilon});
      CAPTURE(x.classes);
      CAPTURE(x.epsilon);
      CHECK(s.status == transport_status::converged);
      // what a step costs in sweeps, measured
      int const step = x.rows == 64 ? 28 : 76;
      CHECK(s.newton_steps <= 20);
      CHECK(s.sweeps <= 10 + (20 - s.newton_steps) * step);
      CHECK(s.row_error + s.column_error <= 1e-9);
      CHECK(s.gradient(transport_objective::transport_cost).cost.allFinite());
    }
  }
  auto const plain = divot::sinkhorn(
      late(64, 10, 1),
      {.epsilon = .05, .max_sweeps = 1000, .newton_steps = 0, .over_relaxation = false});
  CHECK(plain.status == transport_status::max_sweeps);
  CHECK(plain.row_error + plain.column_error > 1e-9);
}

TEST_CASE("as epsilon goes to 0 the cost is that of the cheapest assignment") {
  matrix const cost = random_problem(6, 6, 6).cost;
  std::vector<int> order{0, 1, 2, 3, 4, 5};
  double cheapest = HUGE_VAL;
  do {
    double sum = 0;
    for (Eigen::Index i = 0; i < 6; ++i) sum += cost(i, order[static_cast<std::size_t>(i)]);
    cheapest = std::min(cheapest, sum / 6);
  } while (std::next_permutation(order.begin(), order.end()));
  for (double const epsilon : {1e-2, 1e-3, 1e-4}) {
    auto const s = divot::sinkhorn(cost, {.epsilon = epsilon});
    CHECK(s.status == transport_status::converged);
    CHECK(s.transport_cost - cheapest <= 2 * epsilon);
    CHECK(s.transport_cost - cheapest >= -1e-8);
  }
}

TEST_CASE("a plan that is nearly an assignment has the gradient of one") {
  matrix const cost{{.3, 1.1}, {1.2, .7}};
  for (double const epsilon : {.02, .008, 1e-3, 1e-4}) {
    CAPTURE(epsilon);
    auto const s = divot::sinkhorn(cost, {.epsilon = epsilon});
    auto const g = s.gradient(transport_objective::transport_cost);
    CHECK((g.cost - s.plan()).cwiseAbs().maxCoeff() <= 1e-10);
    CHECK((g.cost - matrix{{.5, 0}, {0, .5}}).cwiseAbs().maxCoeff() <= 1e-8);
  }
}

TEST_CASE("wide problems are solved, and differentiated, from their narrow side") {
  problem const p = random_problem(3, 4000, 10);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .05});
  auto const g = s.gradient(transport_objective::transport_cost);
  auto const turned = divot::sinkhorn(p.cost.transpose(), p.b, p.a, {.epsilon = .05});
  auto const h = turned.gradient(transport_objective::transport_cost);
  CHECK((g.cost - h.cost.transpose()).cwiseAbs().maxCoeff() <= 1e-9);
  CHECK((g.cost.rowwise().sum() - p.a).cwiseAbs().maxCoeff() <= 1e-9);
}

TEST_CASE("a constant far above the costs' differences takes no digits") {
  problem const p = random_problem(6, 5, 11);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .01});
  matrix const high = (p.cost * 1024).array().round() / 1024 + 1048576;
  divot::sinkhorn_options const options{.epsilon = .01, .tolerance = 1e-13};
  auto const t = divot::sinkhorn(high, p.a, p.b, options);
  auto const u = divot::sinkhorn(high.array() - 1048576, p.a, p.b, options);
  CHECK(t.status == transport_status::converged);
  CHECK((t.plan() - u.plan()).cwiseAbs().maxCoeff() <= 1e-12);
  // what a mass that is off by the tolerance pays
  double const constant = 1e-13 * 1048576;
  CHECK(far(t.transport_cost - 1048576, u.transport_cost) <= constant);
  CHECK(far(t.entropic - 1048576, u.entropic) <= constant);
  CHECK(far(t.dual - 1048576, u.dual) <= constant);
  CHECK(s.status == transport_status::converged);
}

TEST_CASE("numbers of any kind make a problem") {
  Eigen::MatrixXi const whole{{0, 1}, {1, 0}};
  CHECK(far(divot::sinkhorn(whole, {.epsilon = 1}).transport_cost, .268941421369995) <= 1e-14);
  Eigen::RowVectorXf const thirds = Eigen::RowVectorXf::Constant(3, 1 / 3.f);
  Eigen::ArrayXf const sevenths = Eigen::ArrayXf::Constant(7, 1 / 7.f);
  auto const s = divot::sinkhorn(divot::simd, random_problem(3, 7, 12).cost, thirds, sevenths);
  CHECK(s.status == transport_status::converged);
  for (auto const& [rows, columns] : {std::pair{0, 3}, {3, 0}, {0, 0}}) {
    CHECK(divot::sinkhorn(matrix(rows, columns)).status == transport_status::empty);
  }
  CHECK(divot::sinkhorn(matrix::Ones(2, 2), vector::Zero(2), vector::Zero(2)).status ==
        transport_status::empty);
}

TEST_CASE("a fixed number of sweeps is what sinkd does") {
  matrix const cost = random_problem(5, 5, 7).cost;
  auto const s = divot::sinkhorn(cost, vector::Ones(5), vector::Ones(5), {.sweeps = 3});
  matrix plan = (-cost / .1).array().exp();
  for (int k = 0; k < 3; ++k) {
    for (Eigen::Index i = 0; i < 5; ++i) plan.row(i) /= plan.row(i).sum();
    for (Eigen::Index j = 0; j < 5; ++j) plan.col(j) /= plan.col(j).sum();
  }
  CHECK(s.status == transport_status::sweeps_done);
  CHECK(s.sweeps == 3);
  CHECK((s.plan() - plan).cwiseAbs().maxCoeff() <= 1e-14);
}

TEST_CASE("a tolerance below what the numbers can tell is said to be so") {
  problem const p = random_problem(6, 6, 8);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .01, .tolerance = 1e-18});
  CHECK(s.status == transport_status::stalled_roundoff);
  CHECK(s.row_error + s.column_error <= 1e-13);
  auto const plain =
      divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .1, .tolerance = 1e-18, .newton_steps = 0});
  CHECK(plain.status == transport_status::stalled_roundoff);
  auto const column =
      divot::sinkhorn(matrix(p.cost.col(0)), p.a, vector::Ones(1), {.tolerance = 1e-18});
  CHECK(column.sweeps <= 30);
}

TEST_CASE("an epsilon so large that it rounds the values is said to be so") {
  problem const p = random_problem(6, 5, 8);
  double const mean = p.a.dot(p.cost * p.b) / p.b.sum();
  auto const usual = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = 1e3});
  CHECK(usual.status == transport_status::converged);
  CHECK(std::abs(usual.entropic - mean) < 1e-2 * mean);
  for (double const epsilon : {1e9, 1e12, 1e16}) {
    auto const far = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = epsilon});
    CHECK(far.status == transport_status::stalled_roundoff);
    CHECK(far.transport_cost == doctest::Approx(mean).epsilon(1e-8));
  }
  auto const nothing = divot::sinkhorn(matrix(matrix::Zero(6, 5)), p.a, p.b, {.epsilon = 1e16});
  CHECK(nothing.status == transport_status::converged);
}

TEST_CASE("sinkhorn says what is wrong with its input") {
  problem p = random_problem(2, 3, 9);
  auto const call = [&](divot::sinkhorn_options const& options = {}) {
    return refusal([&] { divot::sinkhorn(p.cost, p.a, p.b, options); });
  };
  CHECK(call({.epsilon = -1}) == "divot: sinkhorn: epsilon is -1; it must be positive and finite");
  CHECK(call({.tolerance = -1}).find("the tolerance is -1") != std::string::npos);
  CHECK(call({.max_sweeps = 0}).find("max_sweeps") != std::string::npos);
  CHECK(refusal([&] { divot::sinkhorn(p.cost, p.b, p.a); }) ==
        "divot: sinkhorn: the cost is 2×3; there are 3 row masses and 2 column masses");
  CHECK(call({.epsilon = 1e-20}).find("no double can tell plans apart") != std::string::npos);
  matrix const endless{{1e308, -1e308}, {0, 0}};
  CHECK(refusal([&] { divot::sinkhorn(endless, {}); }).find("no double") != std::string::npos);
  p.b(1) += .5;
  CHECK(call().find("the columns' to 1.5; they must agree") != std::string::npos);
  p.b(1) = -1;
  CHECK(call().find("column 1 has mass -1") != std::string::npos);
  p = random_problem(2, 3, 9);
  p.cost(1, 2) = std::nan("");
  CHECK(call() == "divot: sinkhorn: the cost in row 1, column 2 is nan; costs must be finite");
}

}  // namespace
