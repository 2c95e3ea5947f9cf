// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/sinkhorn.hpp>

#include <Eigen/Core>

#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// A debiased value: what is between two sides, less half of what each has with itself.
template <class Solution>
struct divergence_solution {
  Solution between, of_rows, of_columns;

  /// S = OT(a, b) − ½ OT(a, a) − ½ OT(b, b) + ½ ε (Σa − Σb)², OT being the entropic value: here its
  /// dual, which the marginals' errors change in second order only.
  double value() const {
    double const gap = between.to.a.sum() - between.to.b.sum();
    return between.dual - .5 * (of_rows.dual + of_columns.dual) +
           .5 * between.to.epsilon * gap * gap;
  }
  bool converged() const { return between.solved() && of_rows.solved() && of_columns.solved(); }
  /// By the envelope, for problems that are solved. Of points: in .x and .y. Of cost matrices .cost
  /// is that of the costs between the sides; those of a side's own costs are −½
  /// of_rows.gradient(…).cost, and likewise.
  transport_gradient gradient() const {
    constexpr auto of = transport_objective::entropic;
    auto out = between.gradient(of, route::envelope);
    double const gap = between.to.a.sum() - between.to.b.sum();
    auto const take = [&](Solution const& self, auto& mass, auto& points, double sign) {
      auto const own = self.gradient(of, route::envelope);
      // the side stands in both places of its own problem
      mass -= .5 * (own.row_mass + own.column_mass);
      mass.array() += sign * gap * between.to.epsilon;
      if (points.size() > 0) points -= .5 * (own.x + own.y);
      out.epsilon -= .5 * own.epsilon;
    };
    take(of_rows, out.row_mass, out.x, 1);
    take(of_columns, out.column_mass, out.y, -1);
    out.epsilon += .5 * gap * gap;
    return out;
  }
};

/// The options of a side's own problem.
inline sinkhorn_options own_problem(sinkhorn_options options, double penalty) {
  options.row_penalty = options.column_penalty = penalty;
  options.start = {};
  return options;
}

/// The problem between the two sides and that of the rows among themselves; of_columns() gives that
/// of the columns. The first has what may be wrong with either side.
template <class Policy, class X, class Y, class Ground, class A, class B, class OfColumns>
auto solve_divergence(Policy const& policy, X const& x, Y const& y, Ground const& ground,
                      A const& a, B const& b, sinkhorn_options const& options,
                      OfColumns const& of_columns) {
  constexpr char const* name = "sinkhorn_divergence";
  check_policy(policy);
  check_sinkhorn(options, name);
  auto const runner = runs_as(policy);
  auto const costs = points_of(name, x, y, ground);
  auto between = solve_problem(runner, costs, a, b, options, costs.narrow(), {name});
  auto const own_costs = points_of(name, x, x, ground);
  auto of_rows = solve_problem(runner, own_costs, a, a, own_problem(options, options.row_penalty),
                               own_costs.narrow(), {name, "the rows among themselves"});
  return divergence_solution<decltype(between)>{std::move(between), std::move(of_rows),
                                                of_columns()};
}

/// The Sinkhorn divergence of two sets of points: 0 for equal ones and, with costs l1, l2 or
/// squared_l2, positive for others, which the entropic value is not.
///
///   sinkhorn_divergence(policy, x, y, ground, a, b, options)
///
/// x, y     rows and columns × coordinates; a, b: their masses, equal ones if left out
/// Returns  value(), gradient() with respect to points, masses and ε, and the three solutions
/// Errors   as sinkhorn
/// Ref      Feydy et al. (2019), AISTATS; with penalties Séjourné et al. (2019), arXiv:1910.12958
template <execution_policy Policy, class X, class Y, class Ground, class A, class B>
auto sinkhorn_divergence(Policy const& policy, Eigen::DenseBase<X> const& x,
                         Eigen::DenseBase<Y> const& y, Ground const& ground,
                         Eigen::DenseBase<A> const& a, Eigen::DenseBase<B> const& b,
                         sinkhorn_options const& options = {}) {
  return solve_divergence(policy, x, y, ground, a, b, options, [&] {
    auto const costs = points_of("sinkhorn_divergence", y, y, ground);
    return solve_problem(runs_as(policy), costs, b, b, own_problem(options, options.column_penalty),
                         costs.narrow(), {"sinkhorn_divergence", "the columns among themselves"});
  });
}

/// The same where the columns' own problem is solved already, for a side that stays (a teacher's):
/// sinkhorn(policy, points(y, y, ground), b, b, own_problem(options, options.column_penalty)).
template <execution_policy Policy, class X, class Y, class Ground, class A, class B, class Costs,
          class Solver>
auto sinkhorn_divergence(Policy const& policy, Eigen::DenseBase<X> const& x,
                         Eigen::DenseBase<Y> const& y, Ground const& ground,
                         Eigen::DenseBase<A> const& a, Eigen::DenseBase<B> const& b,
                         transport_solution<Costs, Solver> const& of_columns,
                         sinkhorn_options const& options = {}) {
  if (of_columns.all_rows != y.rows() || of_columns.all_columns != y.rows()) {
    fail("sinkhorn_divergence: the columns' own problem is ", of_columns.all_rows, "×",
         of_columns.all_columns, "; there are ", y.rows(), " of them");
  }
  if (of_columns.to.epsilon != options.epsilon) {
    fail("sinkhorn_divergence: the columns' own problem was solved with epsilon ",
         of_columns.to.epsilon, ", this one has ", options.epsilon);
  }
  return solve_divergence(policy, x, y, ground, a, b, options, [&] { return of_columns; });
}

template <execution_policy Policy, class X, class Y, class Ground = ground::squared_l2>
auto sinkhorn_divergence(Policy const& policy, Eigen::DenseBase<X> const& x,
                         Eigen::DenseBase<Y> const& y, Ground const& ground = {},
                         sinkhorn_options const& options = {}) {
  return sinkhorn_divergence(policy, x, y, ground, equal_masses(x.rows()), equal_masses(y.rows()),
                             options);
}
template <class X, class Y, class Ground, class A, class B, class Costs, class Solver>
auto sinkhorn_divergence(Eigen::DenseBase<X> const& x, Eigen::DenseBase<Y> const& y,
                         Ground const& ground, Eigen::DenseBase<A> const& a,
                         Eigen::DenseBase<B> const& b,
                         transport_solution<Costs, Solver> const& of_columns,
                         sinkhorn_options const& options = {}) {
  return sinkhorn_divergence(simd, x, y, ground, a, b, of_columns, options);
}
template <class X, class Y, class Ground, class A, class B>
auto sinkhorn_divergence(Eigen::DenseBase<X> const& x, Eigen::DenseBase<Y> const& y,
                         Ground const& ground, Eigen::DenseBase<A> const& a,
                         Eigen::DenseBase<B> const& b, sinkhorn_options const& options = {}) {
  return sinkhorn_divergence(simd, x, y, ground, a, b, options);
}
template <class X, class Y, class Ground = ground::squared_l2>
auto sinkhorn_divergence(Eigen::DenseBase<X> const& x, Eigen::DenseBase<Y> const& y,
                         Ground const& ground = {}, sinkhorn_options const& options = {}) {
  return sinkhorn_divergence(simd, x, y, ground, options);
}

}  // namespace DIVOT_ABI
}  // namespace divot
