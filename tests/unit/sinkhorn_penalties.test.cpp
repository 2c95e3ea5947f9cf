// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Marginals that may be missed at a price, parts of the mass, plans made feasible, warm starts.
#include <doctest/doctest.h>
#include <divot/partial_sinkhorn.hpp>
#include <divot/sinkhorn.hpp>
#include <unit/refusal.hpp>
#include <unit/transport_problem.hpp>

namespace {

using matrix = Eigen::MatrixXd;
using vector = Eigen::VectorXd;
using divot::transport_objective;
using divot::transport_status;

constexpr double keep = HUGE_VAL;
constexpr transport_objective objectives[] = {transport_objective::entropic,
                                              transport_objective::transport_cost};

double kl(matrix const& x, matrix const& y) {
  return (x.array() * (x.array() / y.array()).log() - x.array() + y.array()).sum();
}
double distance(matrix const& x, matrix const& y) { return (x - y).cwiseAbs().maxCoeff(); }

struct penalties {
  double rows, columns;
};

TEST_CASE("with penalties the value is what the plan's parts add up to, and the dual is as much") {
  for (penalties const& rho : {penalties{.7, .4}, {.7, keep}, {keep, 2}, {1e-2, 1e3}}) {
    for (double const epsilon : {1., .1, .01}) {
      transport_problem p = random_problem(6, 4, 1);
      p.a *= 1.5;
      auto const s = divot::sinkhorn(p.cost, p.a, p.b,
                                     {.epsilon = epsilon,
                                      .tolerance = 1e-13,
                                      .row_penalty = rho.rows,
                                      .column_penalty = rho.columns});
      CAPTURE(rho.rows);
      CAPTURE(epsilon);
      CHECK(s.status == transport_status::converged);
      matrix const plan = s.plan();
      vector const r = plan.rowwise().sum(), c = plan.colwise().sum().transpose();
      double direct = plan.cwiseProduct(p.cost).sum() + epsilon * kl(plan, p.a * p.b.transpose());
      if (rho.rows < keep) direct += rho.rows * kl(r, p.a);
      if (rho.columns < keep) direct += rho.columns * kl(c, p.b);
      CHECK(std::abs(s.entropic - direct) <= 1e-10 * (1 + std::abs(direct)));
      CHECK(std::abs(s.dual - direct) <= 1e-10 * (1 + std::abs(direct)));
      CHECK(std::abs(s.mass - plan.sum()) <= 1e-13);
      // a side that is kept exactly has its masses
      if (rho.rows == keep) CHECK(distance(r, p.a) <= 1e-12);
      if (rho.columns == keep) CHECK(distance(c, p.b) <= 1e-12);
      // mass = Σ a e^(−f̃/ρ) = Σ b e^(−g̃/ρ)
      vector const f = s.row_potentials().array() - epsilon * p.a.array().log();
      if (rho.rows < keep) {
        CHECK((p.a.array() * (-f / rho.rows).array().exp()).sum() ==
              doctest::Approx(s.mass).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("no plan near the one with penalties is worth less") {
  transport_problem p = random_problem(3, 3, 2);
  p.b *= .6;
  auto const s =
      divot::sinkhorn(p.cost, p.a, p.b,
                      {.epsilon = .2, .tolerance = 1e-13, .row_penalty = .5, .column_penalty = 1});
  auto const worth = [&](matrix const& plan) {
    vector const r = plan.rowwise().sum(), c = plan.colwise().sum().transpose();
    return plan.cwiseProduct(p.cost).sum() + .2 * kl(plan, p.a * p.b.transpose()) +
           .5 * kl(r, p.a) + kl(c, p.b);
  };
  matrix const plan = s.plan();
  for (Eigen::Index i = 0; i < 9; ++i) {
    for (double const by : {1e-3, -1e-3}) {
      matrix moved = plan;
      moved(i) *= 1 + by;
      CHECK(worth(moved) > worth(plan));
    }
  }
}

TEST_CASE("gradients with penalties are those of central differences") {
  for (penalties const& rho : {penalties{.7, .4}, {.7, keep}, {keep, .4}}) {
    for (double const epsilon : {.5, .05}) {
      for (auto const of : objectives) {
        transport_problem p = random_problem(4, 5, 4);
        p.a *= 1.3;
        divot::sinkhorn_options options{.epsilon = epsilon,
                                        .tolerance = 1e-14,
                                        .row_penalty = rho.rows,
                                        .column_penalty = rho.columns};
        auto const value = [&](transport_problem const& x) {
          return value_of(divot::sinkhorn(x.cost, x.a, x.b, options), of);
        };
        auto const g = divot::sinkhorn(p.cost, p.a, p.b, options).gradient(of);
        CAPTURE(epsilon);
        CHECK(worst_slope(
                  g.cost, p, [](auto& x) -> auto& { return x.cost; }, value, 1e-4) <=
              1e-6 * g.cost.norm());
        CHECK(worst_slope(
                  g.row_mass, p, [](auto& x) -> auto& { return x.a; }, value, 1e-4) <=
              1e-6 * (1 + g.row_mass.norm()));
        CHECK(worst_slope(
                  g.column_mass, p, [](auto& x) -> auto& { return x.b; }, value, 1e-4) <=
              1e-6 * (1 + g.column_mass.norm()));
        double const slope = slope_at_zero(
            [&](double by) {
              divot::sinkhorn_options moved = options;
              moved.epsilon += by;
              return value_of(divot::sinkhorn(p.cost, p.a, p.b, moved), of);
            },
            1e-4 * epsilon);
        CHECK(std::abs(slope - g.epsilon) <= 1e-6 * (1 + std::abs(g.epsilon)));
      }
    }
  }
}

TEST_CASE("large penalties lead to the plan without any, and zero masses stay out") {
  transport_problem const p = random_problem(4, 6, 5);
  auto const exact = divot::sinkhorn(p.cost, p.a, p.b, {.tolerance = 1e-12});
  auto const dear = divot::sinkhorn(
      p.cost, p.a, p.b, {.tolerance = 1e-12, .row_penalty = 1e7, .column_penalty = 1e7});
  CHECK(dear.status == transport_status::converged);
  CHECK(distance(exact.plan(), dear.plan()) <= 1e-6);
  vector a = p.a;
  a(2) = 0;
  auto const s = divot::sinkhorn(p.cost, a, p.b, {.row_penalty = .5, .column_penalty = .5});
  auto const g = s.gradient(transport_objective::transport_cost);
  CHECK((s.plan().row(2).array() == 0).all());
  CHECK((g.cost.row(2).array() == 0).all());
  CHECK(g.row_mass(2) == 0);
  CHECK(g.cost.allFinite());
}

TEST_CASE("a partial plan moves as much as asked for, along the cheapest ways") {
  transport_problem p = random_problem(4, 5, 4);
  p.a *= 1.3;
  for (double const moved : {.1, .6, 1.}) {
    auto const s =
        divot::partial_sinkhorn(p.cost, p.a, p.b, moved, {.epsilon = .02, .tolerance = 1e-12});
    matrix const plan = s.plan();
    CAPTURE(moved);
    CHECK(std::abs(plan.sum() - moved) <= 1e-11);
    CHECK((p.a - plan.rowwise().sum()).minCoeff() >= -1e-11);
    CHECK((p.b - plan.colwise().sum().transpose()).minCoeff() >= -1e-11);
    CHECK(std::abs(s.transport_cost - plan.cwiseProduct(p.cost).sum()) <= 1e-11);
  }
  // one row, one column: the cheapest first
  matrix const cost{{3, 1, 2}};
  vector const a = vector::Ones(1), b = vector::Constant(3, .5);
  auto const s = divot::partial_sinkhorn(cost, a, b, .75, {.epsilon = .01});
  CHECK(distance(s.plan(), matrix{{0, .5, .25}}) <= 1e-6);
}

TEST_CASE("a partial plan's gradients are those of central differences") {
  transport_problem p = random_problem(4, 5, 4);
  p.a *= 1.3;
  divot::sinkhorn_options const options{.epsilon = .1, .tolerance = 1e-13};
  for (auto const of : objectives) {
    auto const value = [&](transport_problem const& x) {
      return value_of(divot::partial_sinkhorn(x.cost, x.a, x.b, .6, options).whole, of);
    };
    auto const s = divot::partial_sinkhorn(p.cost, p.a, p.b, .6, options);
    auto const g = s.gradient(of);
    CHECK(worst_slope(
              g.cost, p, [](auto& x) -> auto& { return x.cost; }, value, 1e-4) <= 1e-8);
    CHECK(worst_slope(
              g.row_mass, p, [](auto& x) -> auto& { return x.a; }, value, 1e-4) <= 1e-8);
    CHECK(worst_slope(
              g.column_mass, p, [](auto& x) -> auto& { return x.b; }, value, 1e-4) <= 1e-8);
    double const slope = slope_at_zero(
        [&](double by) {
          auto const moved = divot::partial_sinkhorn(p.cost, p.a, p.b, .6 + by, options);
          return value_of(moved.whole, of);
        },
        1e-4);
    CHECK(std::abs(slope - s.moved_slope(of)) <= 1e-8);
  }
}

TEST_CASE("where all of a side's mass is moved there is no derivative in what is moved") {
  transport_problem p = random_problem(4, 5, 4);
  p.a *= 1.3;
  auto const s = divot::partial_sinkhorn(p.cost, p.a, p.b, p.b.sum());
  auto const g = s.gradient(transport_objective::transport_cost);
  CHECK(g.cost.allFinite());
  CHECK(g.row_mass.allFinite());
  CHECK(std::isnan(g.column_mass(0)));
  CHECK(refusal([&] {
          s.moved_slope(transport_objective::transport_cost);
        }).find("all the mass of a side is moved") != std::string::npos);
}

TEST_CASE("a feasible plan keeps the masses to the last digits, near the plan it is made of") {
  transport_problem const p = random_problem(6, 8, 3);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.sweeps = 2});
  matrix const plan = s.feasible_plan();
  CHECK(distance(plan.rowwise().sum(), p.a) <= 1e-15);
  CHECK(distance(plan.colwise().sum().transpose(), p.b) <= 1e-15);
  CHECK(plan.minCoeff() >= 0);
  CHECK((plan - s.plan()).lpNorm<1>() <= 2 * (s.row_error + s.column_error) + 1e-15);
}

TEST_CASE("costs in float are swept in float, and come to what double would") {
  for (double const mass : {1., 1e-60, 1e60}) {  // float has no room for the last two
    for (double const epsilon : {1., .05, .005}) {
      for (int const sweeps : {0, 3}) {
        transport_problem p = random_problem(40, 30, 5);
        p.cost = p.cost.cast<float>().cast<double>();
        p.a *= mass;
        p.b *= 1.2 * mass;
        divot::sinkhorn_options const options{.epsilon = epsilon,
                                              .tolerance = 1e-5,
                                              .sweeps = sweeps,
                                              .row_penalty = .7,
                                              .column_penalty = .3};
        auto const in_double = divot::sinkhorn(p.cost, p.a, p.b, options);
        auto const in_float =
            divot::sinkhorn(Eigen::MatrixXf(p.cost.cast<float>()), p.a, p.b, options);
        CAPTURE(mass);
        CAPTURE(epsilon);
        CAPTURE(sweeps);
        CAPTURE(in_double.mass);
        CHECK(in_float.status == in_double.status);
        double const most = 1.2 * std::max(mass, in_double.mass);
        double const error = in_double.row_error + in_double.column_error;
        CHECK(in_float.row_error + in_float.column_error <= 1e-5 * most + error);
        CHECK(distance(in_float.plan(), in_double.plan()) <= 2e-5 * most);
        CHECK(std::abs(in_float.entropic - in_double.entropic) <= 1e-5 * most * std::max(1., most));
      }
    }
  }
}

TEST_CASE("a plan is applied without being formed") {
  transport_problem const p = random_problem(6, 8, 3);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b);
  matrix const v = random_points(8, 3, 1), u = random_points(6, 2, 2);
  CHECK(distance(s.apply(v), s.plan() * v) <= 1e-14);
  CHECK(distance(s.apply_transposed(u), s.plan().transpose() * u) <= 1e-14);
  CHECK(refusal([&] { s.apply(u); }).find("6 rows for 8 columns") != std::string::npos);
}

TEST_CASE("a solved problem's potentials are where the next one begins") {
  transport_problem p = random_problem(12, 9, 6);
  divot::sinkhorn_options options{.epsilon = .05, .newton_steps = 0};
  auto const cold = divot::sinkhorn(p.cost, p.a, p.b, options);
  vector const g = cold.column_potentials();
  options.start = {g.data(), 9};
  auto const same = divot::sinkhorn(p.cost, p.a, p.b, options);
  CHECK(same.status == transport_status::converged);
  CHECK(same.sweeps == 0);
  CHECK(distance(same.plan(), cold.plan()) <= 1e-9);
  p.cost(3, 4) += 1e-3;
  auto const near = divot::sinkhorn(p.cost, p.a, p.b, options);
  CHECK(near.status == transport_status::converged);
  CHECK(near.sweeps < cold.sweeps);
  CHECK(refusal([&] {
          divot::sinkhorn(p.cost.transpose(), p.b, p.a, options);
        }).find("start has 9 potentials for 12 columns") != std::string::npos);
}

TEST_CASE("penalties and parts that make no sense are refused") {
  transport_problem const p = random_problem(2, 3, 9);
  auto const call = [&](divot::sinkhorn_options const& options) {
    return refusal([&] { divot::sinkhorn(p.cost, p.a, p.b, options); });
  };
  CHECK(call({.row_penalty = 0}).find("the penalties are 0 and inf") != std::string::npos);
  CHECK(call({.column_penalty = std::nan("")}).find("they must be positive") != std::string::npos);
  auto const part = [&](double moved) {
    return refusal([&] { divot::partial_sinkhorn(p.cost, p.a, p.b, moved); });
  };
  CHECK(part(0).find("0 of the mass is to be moved") != std::string::npos);
  CHECK(part(1.5).find("at most 1") != std::string::npos);
  CHECK(part(std::nan("")).find("must be positive") != std::string::npos);
  transport_problem flawed = p;
  flawed.cost(1, 2) = std::nan("");
  CHECK(refusal([&] { divot::partial_sinkhorn(flawed.cost, p.a, p.b, .5); }) ==
        "divot: partial_sinkhorn: the cost in row 1, column 2 is nan; costs must be finite");
  CHECK(refusal([&] { divot::partial_sinkhorn(p.cost, p.a, p.b, .5, {.epsilon = 0}); }) ==
        "divot: partial_sinkhorn: epsilon is 0; it must be positive and finite");
  auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.row_penalty = 1});
  CHECK(refusal([&] { s.feasible_plan(); }).find("no marginals to keep") != std::string::npos);
}

}  // namespace
