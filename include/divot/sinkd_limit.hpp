// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/sinkd_plan.hpp>
#include <divot/transport/problem.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// From ∂L/∂P to ∂L/∂C in place, through the equations that the plan of a solved problem answers.
template <class Solution>
void pull_back_implicitly(Solution const& s, typename transport_types<Solution>::rows const& plan,
                          double* g) {
  using passes_type = plan_passes<std::remove_cvref_t<decltype(s.policy)>>;
  using costs_type = typename passes_type::costs_type;
  Eigen::Index const m = plan.cols();
  auto const mu = implicit_column_slopes(passes_type(s.policy, costs_type(s.costs), s.to.epsilon),
                                         s.to, s.f, s.g, s.rows, s.columns,
                                         [&](Eigen::Index i, double const*) { return g + i * m; });
  if (!mu.allFinite()) {
    fail(
        "sinkd: rows fall apart into groups between which nothing moves: what the gradient would "
        "be is lost; take a larger epsilon, or a fixed number of sweeps");
  }
  for (Eigen::Index i = 0; i < plan.rows(); ++i) {
    double* const own = g + i * m;
    each_implicit_slope(s.to, mu, plan.data() + i * m, own,
                        [&](Eigen::Index j, double slope) { own[j] = slope; });
  }
}

/// Refuses a problem that is not solved: what the routes of the limit say of it would be wrong.
/// number: which of a batch's problems; −1: there is one
template <class Solution>
void check_sinkd_solved(Solution const& s, index number) {
  if (s.solved()) return;
  message text;
  text << "sinkd: ";
  if (number >= 0) text << "sequence " << number << ": ";
  text << "after " << s.sweeps << " sweeps and " << s.newton_steps
       << " of Newton's steps the plan's sums are off by "
       << (s.row_error + s.column_error) / s.to.a.sum()
       << " of the mass; take a larger epsilon or tolerance, or a fixed number of sweeps, of which "
          "route::unrolled is the gradient";
  fail_with(text);
}

/// Solves one of SinKD's problems until the marginals are within the tolerance, in double.
template <execution_policy Policy>
void solve_sinkd_to_the_limit(Policy const& policy, sinkd const& what, sinkd_task const& task) {
  using types = transport_types<Policy>;
  using vector = typename types::vector;
  using row_list = typename types::rows;
  using costs = dense_costs<typename types::number>;
  Eigen::Index const n = task.samples;
  vector const masses = vector::Constant(n, task.mass);
  sinkhorn_options const options{.epsilon = what.epsilon, .tolerance = what.tolerance};
  costs const cost(Eigen::Map<row_list const>(task.cost, n, n));
  auto const s =
      solve_problem(policy, cost, masses, masses, options, false,
                    transport_caller{"sinkd", task.number < 0 ? "" : "sequence", task.number});
  check_sinkd_solved(s, task.number);
  vector const f = s.row_potentials(), g = s.column_potentials();
  row_list const plan = s.plan();
  vector spare(2 * n);
  finish_sinkd(
      what, task, f.data(), g.data(),
      [&](index i, double* out) { std::copy_n(plan.data() + i * n, n, out); },
      [&](double* slope) { pull_back_implicitly(s, plan, slope); }, spare.data());
}

}  // namespace DIVOT_ABI
}  // namespace divot
