// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Gradients of what a fixed number of sweeps computes, and which routes go with what.
#include <doctest/doctest.h>
#include <divot/partial_sinkhorn.hpp>
#include <divot/sinkhorn_divergence.hpp>
#include <unit/refusal.hpp>
#include <unit/transport_problem.hpp>

#include <string>
#include <vector>

namespace {

using matrix = Eigen::MatrixXd;
using vector = Eigen::VectorXd;
using divot::route;
using divot::transport_objective;
using divot::transport_status;

constexpr transport_objective objectives[] = {transport_objective::entropic,
                                              transport_objective::transport_cost};

/// Masses of a problem: as they are, equal ones, or with one of 0 on either side.
enum class pattern { uneven, equal, with_zeros };
transport_problem problem_of(pattern which) {
  transport_problem p = random_problem(5, 4, 3);
  if (which == pattern::equal) {
    p.a.setConstant(1. / 5);
    p.b.setConstant(1. / 4);
  } else if (which == pattern::with_zeros) {
    p.a(1) = p.b(3) = 0;
    p.a /= p.a.sum();
    p.b /= p.b.sum();
  }
  return p;
}

/// Every derivative of a problem against central differences.
void check_slopes(transport_problem const& p, divot::sinkhorn_options const& options,
                  transport_objective of) {
  auto const solve = [&](transport_problem const& x) {
    return divot::sinkhorn(x.cost, x.a, x.b, options);
  };
  auto const value = [&](transport_problem const& x) { return value_of(solve(x), of); };
  auto const s = solve(p);
  REQUIRE(s.status == transport_status::sweeps_done);
  auto const g = s.gradient(of);
  CHECK(worst_slope(
            g.cost, p, [](auto& x) -> auto& { return x.cost; }, value, 1e-4 * options.epsilon) <=
        1e-6 * g.cost.norm());
  // mass moves from every row, and column, that has some to the first
  auto const moved = [&](vector const& slopes, vector transport_problem::*side) {
    for (Eigen::Index i = 1; i < slopes.size(); ++i) {
      if ((p.*side)(i) == 0) {
        CHECK(slopes(i) == 0);
        continue;
      }
      double const found = slope_at_zero(
          [&](double by) {
            transport_problem x = p;
            (x.*side)(i) += by;
            (x.*side)(0) -= by;
            return value(x);
          },
          1e-4);
      CHECK(std::abs(slopes(i) - slopes(0) - found) <= 1e-6 * (1 + slopes.norm()));
    }
  };
  moved(g.row_mass, &transport_problem::a);
  moved(g.column_mass, &transport_problem::b);
  // both sides grow
  double const grown = slope_at_zero(
      [&](double by) {
        transport_problem x = p;
        x.a(0) += by;
        x.b(2) += by;
        return value(x);
      },
      1e-4);
  CHECK(std::abs(g.row_mass(0) + g.column_mass(2) - grown) <= 1e-6 * (1 + std::abs(grown)));
  double const slope = slope_at_zero(
      [&](double by) {
        divot::sinkhorn_options other = options;
        other.epsilon += by;
        return value_of(divot::sinkhorn(p.cost, p.a, p.b, other), of);
      },
      1e-4 * options.epsilon);
  CHECK(std::abs(g.epsilon - slope) <= 1e-6 * (1 + std::abs(slope)));
}

TEST_CASE("unrolled gradients are those of central differences: costs, masses and epsilon") {
  for (pattern const which : {pattern::uneven, pattern::equal, pattern::with_zeros}) {
    transport_problem const p = problem_of(which);
    for (double const epsilon : {.5, .1, .006}) {  // the last one on potentials
      for (int const sweeps : {1, 2, 6}) {
        CAPTURE(epsilon);
        CAPTURE(sweeps);
        for (auto const of : objectives) {
          check_slopes(p, {.epsilon = epsilon, .sweeps = sweeps}, of);
        }
      }
    }
  }
}

TEST_CASE("so they are from a start, with costs far from 0, and masses far apart") {
  vector const start{{.3, -.2, .1, .4}};
  transport_problem p = problem_of(pattern::uneven);
  for (auto const of : objectives) {
    check_slopes(p, {.epsilon = .1, .sweeps = 3, .start = {start.data(), 4}}, of);
    check_slopes(problem_of(pattern::with_zeros),
                 {.epsilon = .2, .sweeps = 2, .start = {start.data(), 4}}, of);
    transport_problem high = p;
    high.cost.array() -= 60;
    check_slopes(high, {.epsilon = .1, .sweeps = 2}, of);
  }
  // hardly any mass in a row: the same whether the row is there or not
  p.a(2) = 1e-40;
  p.a /= p.a.sum();
  transport_problem without = p;
  without.a(2) = 0;
  for (auto const of : objectives) {
    auto const g = divot::sinkhorn(p.cost, p.a, p.b, {.sweeps = 4}).gradient(of);
    auto const h = divot::sinkhorn(without.cost, without.a, without.b, {.sweeps = 4}).gradient(of);
    CHECK((g.cost - h.cost).cwiseAbs().maxCoeff() <= 1e-14);
    CHECK(g.row_mass.allFinite());
  }
}

TEST_CASE("the kernel's gradient is that on potentials, and many sweeps' that of the limit") {
  transport_problem const p = problem_of(pattern::uneven);
  vector const nearly_nothing = vector::Constant(4, 1e-300);
  for (auto const of : objectives) {
    auto const g = divot::sinkhorn(p.cost, p.a, p.b, {.sweeps = 7}).gradient(of);
    auto const h =
        divot::sinkhorn(p.cost, p.a, p.b, {.sweeps = 7, .start = {nearly_nothing.data(), 4}})
            .gradient(of);
    CHECK((g.cost - h.cost).cwiseAbs().maxCoeff() <= 1e-14);
    CHECK((g.row_mass - h.row_mass).cwiseAbs().maxCoeff() <= 1e-13);
    CHECK((g.column_mass - h.column_mass).cwiseAbs().maxCoeff() <= 1e-13);
    CHECK(std::abs(g.epsilon - h.epsilon) <= 1e-13);
    auto const many =
        divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .3, .sweeps = 400}).gradient(of);
    auto const limit =
        divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .3, .tolerance = 1e-14}).gradient(of);
    CHECK((many.cost - limit.cost).cwiseAbs().maxCoeff() <= 1e-10);
    CHECK(std::abs(many.epsilon - limit.epsilon) <= 1e-10);
  }
}

TEST_CASE("points' unrolled gradients are those of central differences") {
  struct two_sides {
    matrix x, y;
  };
  two_sides const p{random_points(4, 3, 1), random_points(5, 3, 2)};
  for (auto const of : objectives) {
    auto const solve = [&](two_sides const& q) {
      return divot::sinkhorn(divot::points(q.x, q.y, divot::ground::l2{}),
                             {.epsilon = .3, .sweeps = 3});
    };
    auto const value = [&](two_sides const& q) { return value_of(solve(q), of); };
    auto const g = solve(p).gradient(of);
    CHECK(worst_slope(
              g.x, p, [](auto& q) -> auto& { return q.x; }, value, 1e-5) <= 1e-6 * g.x.norm());
    CHECK(worst_slope(
              g.y, p, [](auto& q) -> auto& { return q.y; }, value, 1e-5) <= 1e-6 * g.y.norm());
  }
}

TEST_CASE("a held plan is the transport cost's gradient under its own name only") {
  transport_problem const p = problem_of(pattern::uneven);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b);
  auto const held = s.gradient(transport_objective::transport_cost, route::plan_detached);
  CHECK(held.cost == s.plan());
  CHECK(held.row_mass.isZero(0));
  CHECK(held.epsilon == 0);
  // the value's change while P stays
  double const step = 1e-5;
  auto const of_plan = [&](double by) {
    matrix const plan = s.plan();
    vector a = p.a;
    a(1) += by;
    return .1 * (plan.array() * (plan.array() / (a * p.b.transpose()).array()).log()).sum() +
           .1 * a.sum() * p.b.sum();
  };
  auto const entropic = s.gradient(transport_objective::entropic, route::plan_detached);
  CHECK(entropic.row_mass(1) ==
        doctest::Approx((of_plan(step) - of_plan(-step)) / (2 * step)).epsilon(1e-6));
  CHECK(s.gradient(transport_objective::entropic, route::implicit).cost == s.plan());
  auto const few = divot::sinkhorn(p.cost, p.a, p.b, {.sweeps = 2});
  CHECK(few.gradient(transport_objective::transport_cost, route::plan_detached).cost == few.plan());
}

TEST_CASE("a route that does not go with the value, or the solution, is refused with the reason") {
  transport_problem const p = problem_of(pattern::uneven);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b),
             few = divot::sinkhorn(p.cost, p.a, p.b, {.sweeps = 2});
  auto const says = [](auto const& solution, transport_objective of, route by,
                       std::string const& words) {
    CHECK(refusal([&] { solution.gradient(of, by); }).find(words) != std::string::npos);
  };
  constexpr auto cost = transport_objective::transport_cost;
  constexpr auto entropic = transport_objective::entropic;
  says(s, cost, route::envelope, "the gradient of the entropic value alone");
  says(few, cost, route::envelope, "the gradient of the entropic value alone");
  says(s, cost, route::unrolled, "ask for sweeps = N");
  says(s, entropic, route::unrolled, "ask for sweeps = N");
  says(few, cost, route::implicit, "the problem is not solved");
  says(few, entropic, route::envelope, "the problem is not solved");
  auto const stopped =
      divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .01, .max_sweeps = 1, .newton_steps = 0});
  says(stopped, cost, route::implicit, "the problem is not solved");
  says(stopped, cost, route::unrolled, "ask for sweeps = N");
  auto const free = divot::sinkhorn(p.cost, p.a, p.b, {.sweeps = 2, .row_penalty = 1});
  says(free, cost, route::unrolled, "masses that are kept exactly");
  matrix const x = random_points(3, 2, 1), y = random_points(4, 2, 2);
  CHECK(refusal([&] {
          divot::sinkhorn_divergence(x, y, divot::ground::squared_l2{}, {.sweeps = 2}).gradient();
        }).find("the problem is not solved") != std::string::npos);
}

TEST_CASE("a partial plan's sweeps have a gradient, too") {
  transport_problem p = random_problem(4, 5, 4);
  p.a *= 1.3;
  divot::sinkhorn_options const options{.epsilon = .2, .sweeps = 3};
  auto const value = [&](transport_problem const& x) {
    return divot::partial_sinkhorn(x.cost, x.a, x.b, .6, options).whole.transport_cost;
  };
  auto const g = divot::partial_sinkhorn(p.cost, p.a, p.b, .6, options)
                     .gradient(transport_objective::transport_cost);
  CHECK(worst_slope(
            g.cost, p, [](auto& x) -> auto& { return x.cost; }, value, 1e-4) <= 1e-8);
  CHECK(worst_slope(
            g.row_mass, p, [](auto& x) -> auto& { return x.a; }, value, 1e-4) <= 1e-8);
}

}  // namespace
