// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Problems at the ends of what numbers can tell: what is returned is right, or says that it is not.
#include <doctest/doctest.h>
#include <divot/partial_sinkhorn.hpp>
#include <divot/sinkhorn.hpp>
#include <unit/refusal.hpp>
#include <unit/transport_problem.hpp>

#include <limits>

namespace {

using matrix = Eigen::MatrixXd;
using vector = Eigen::VectorXd;
using divot::transport_objective;
using divot::transport_status;

double missed(matrix const& plan, transport_problem const& p) {
  return (plan.rowwise().sum() - p.a).lpNorm<1>() +
         (plan.colwise().sum().transpose() - p.b).lpNorm<1>();
}

TEST_CASE("converged is said of the plan that is returned, whatever epsilon and costs are") {
  for (Eigen::Index const count : {1, 5, 20}) {
    transport_problem p = random_problem(count, count + 1, 1);
    for (double const high : {0., 1e6, 1e10}) {
      p.cost(0, count / 2) += high;
      for (double epsilon = 1e-9; epsilon < 1e10; epsilon *= 10) {
        if (high / epsilon > 1e12) continue;
        auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = epsilon});
        CAPTURE(count);
        CAPTURE(high);
        CAPTURE(epsilon);
        double const error = missed(s.plan(), p);
        // below and above these, potentials are rounded by more than the tolerance
        bool const told = high + 1 <= 1e6 * epsilon && epsilon <= 1e5;
        CHECK(s.status == (told            ? transport_status::converged
                           : error <= 2e-9 ? s.status
                                           : transport_status::stalled_roundoff));
        CHECK(error <= (told ? 2e-9 : 1e-3));
        CHECK(std::isfinite(s.entropic));
        CHECK(s.gradient(transport_objective::entropic).cost.allFinite());
      }
    }
  }
}

TEST_CASE("Newton's method finds its way where columns hardly hang together") {
  for (unsigned k = 0; k < 12; ++k) {
    transport_problem const p = random_problem(3 + k, 2 + k, k);
    for (double const epsilon : {.02, .01, 1e-3, 1e-4}) {
      auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = epsilon});
      CAPTURE(k);
      CAPTURE(epsilon);
      CHECK(s.status == transport_status::converged);
      CHECK(s.newton_steps <= 25);
      CHECK(s.sweeps <= 250);
    }
  }
}

TEST_CASE("penalties far above epsilon leave as much mass as both sides agree on") {
  transport_problem p = random_problem(5, 4, 2);
  p.b *= 1.5;
  for (double const penalty : {1e2, 1e3, 1e4, 1e5}) {
    CAPTURE(penalty);
    auto const both =
        divot::sinkhorn(p.cost, p.a, p.b, {.row_penalty = penalty, .column_penalty = penalty});
    CHECK(both.status == transport_status::converged);
    CHECK(both.sweeps <= 30);
    CHECK(std::abs(both.mass - std::sqrt(1.5)) <= 2 / penalty);
    auto const rows = divot::sinkhorn(p.cost, p.a, p.b, {.row_penalty = penalty});
    CHECK(rows.status == transport_status::converged);
    CHECK(rows.sweeps <= 30);
    CHECK(std::abs(rows.mass - 1.5) <= 1e-8);
  }
  matrix const one = matrix::Ones(1, 1);
  auto const s = divot::sinkhorn(one, vector::Ones(1), vector::Constant(1, 2.),
                                 {.epsilon = 1e-6, .row_penalty = .5, .column_penalty = 2});
  CHECK(s.status == transport_status::converged);
  CHECK(s.sweeps <= 5);
  // (ρ_r + ρ_c) ln P = ρ_r ln a + ρ_c ln b − C as ε goes to 0
  CHECK(s.mass == doctest::Approx(std::exp((2 * std::log(2.) - 1) / 2.5)).epsilon(1e-5));
}

TEST_CASE("with penalties a row too far from everything is left where it is, and has no slope") {
  transport_problem p = random_problem(5, 4, 6);
  p.cost.row(3).setConstant(1e4);
  for (auto const of : {transport_objective::entropic, transport_objective::transport_cost}) {
    auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.row_penalty = 1, .column_penalty = 2});
    auto const g = s.gradient(of);
    CHECK(s.plan().row(3).sum() == 0);
    CHECK(g.cost.allFinite());
    CHECK((g.cost.row(3).array() == 0).all());
    CHECK(g.row_mass.allFinite());
    CHECK(g.column_mass.allFinite());
    CHECK(std::isfinite(g.epsilon));
    transport_problem few = p;
    few.a(3) = 0;
    auto const h = divot::sinkhorn(few.cost, few.a, few.b, {.row_penalty = 1, .column_penalty = 2})
                       .gradient(of);
    CHECK((g.cost - h.cost).cwiseAbs().maxCoeff() <= 1e-8);
  }
}

TEST_CASE("a start that no solution has is as good as none") {
  transport_problem const p = random_problem(8, 6, 3);
  constexpr double inf = std::numeric_limits<double>::infinity();
  for (double const penalty : {inf, 1.}) {
    auto const solve = [&](std::span<double const> start) {
      return divot::sinkhorn(p.cost, p.a, p.b,
                             {.row_penalty = penalty, .column_penalty = penalty, .start = start});
    };
    matrix const plan = solve({}).plan();
    for (double const wrong : {std::nan(""), inf, -inf, 1e300, -1e300, 1e10, -1e4}) {
      vector start = vector::Zero(6);
      auto const check = [&] {
        auto const s = solve({start.data(), 6});
        CAPTURE(wrong);
        CHECK(s.status == transport_status::converged);
        CHECK((s.plan() - plan).cwiseAbs().maxCoeff() <= 1e-8);
      };
      start(2) = wrong;
      check();
      start.setConstant(wrong);
      check();
    }
  }
}

TEST_CASE("masses may be as small or large as their product can be written") {
  transport_problem const p = random_problem(6, 5, 4);
  auto const plan = divot::sinkhorn(p.cost, p.a, p.b).plan();
  for (double const scale : {1e-300, 1e-150, 1e-20, 1e20, 1e150}) {
    auto const s = divot::sinkhorn(p.cost, .9 * scale * p.a, .9 * scale * p.b);
    CAPTURE(scale);
    CHECK(s.status == transport_status::converged);
    CHECK((s.plan() / (.9 * scale) - plan).cwiseAbs().maxCoeff() <= 1e-9);
    CHECK(std::isfinite(s.entropic));
    CHECK(std::isfinite(s.dual));
  }
  CHECK(refusal([&] { divot::sinkhorn(p.cost, 1e151 * p.a, 1e151 * p.b); }).find("1e150 at most") !=
        std::string::npos);
  // masses over 300 orders of magnitude
  vector a(3), b(2);
  a << 1, 1e-150, 1e-300;
  b << 1e-300, 1;
  auto const s = divot::sinkhorn(p.cost.topLeftCorner(3, 2), a, b);
  CHECK(s.status == transport_status::converged);
  CHECK(s.plan().allFinite());
  CHECK(s.gradient(transport_objective::entropic).row_mass.allFinite());
}

TEST_CASE("a part of the mass is moved to the tolerance, however small it is") {
  transport_problem p = random_problem(6, 5, 5);
  p.b *= 1.7;
  for (double const moved : {1e-9, 1e-6, 1e-3, .5, 1.}) {
    for (double const epsilon : {1e-3, .1, 10.}) {
      CAPTURE(moved);
      CAPTURE(epsilon);
      auto const s = divot::partial_sinkhorn(p.cost, p.a, p.b, moved, {.epsilon = epsilon});
      bool const told = moved >= 1e-3;
      CHECK(std::abs(s.plan().sum() / moved - 1) <= (told ? 2e-9 : 2e-6));
      if (told) CHECK(s.status == transport_status::converged);
    }
  }
  CHECK(refusal([&] {
          divot::partial_sinkhorn(p.cost, p.a, p.b, 1e-12);
        }).find("no double tells it from nothing") != std::string::npos);
}

}  // namespace
