// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/shared_solver.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// A problem solved until its marginals are right, and the way back through the equations that its
/// plan answers: what shared_sweeps is for a fixed number of sweeps.
template <class Group, class Domain>
class shared_limit {
 public:
  /// `lowest`: of the costs, taken off them; chief: room for as many numbers as there are rows.
  DIVOT_HD shared_limit(double const* cost, double lowest, double mass, solver_goal const& goal,
                        solver_memory& memory, double* chief)
      : cost_(cost),
        lowest_(lowest),
        mass_(mass),
        goal_(goal),
        s_(memory),
        chief_(chief),
        domain_(memory.matrix) {}

  /// Whether it could be solved.
  DIVOT_HD bool run() const {
    index const n = s_.matrix.rows, m = s_.matrix.columns;
    domain_.fill(goal_.epsilon, [&](index i, index j) { return cost_[i * m + j] - lowest_; });
    sums::each(n, [&](index i) { s_.a[i] = mass_; });
    sums::each(m, [&](index j) { s_.b[j] = mass_; });
    auto const status = shared_solver<Group, Domain>(goal_, domain_, s_).run();
    return status == transport_status::converged || status == transport_status::stalled_roundoff;
  }

  DIVOT_HD double row_potential(index i) const {
    return goal_.epsilon * Domain::potential_of(s_.x[i]) + lowest_;
  }
  DIVOT_HD double column_potential(index j) const {
    return goal_.epsilon * Domain::potential_of(s_.y[j]);
  }
  DIVOT_HD double plan(index i, index j) const { return domain_.entry(s_.x[i], s_.y[j], i, j); }
  DIVOT_HD double plan_across(index i, index j) const {
    return domain_.entry_across(s_.x[i], s_.y[j], i, j);
  }

  /// From G(i, j) = ∂L/∂P_ij to to(i, j, ∂L/∂C_ij): P_ij (κ_i + μ_j − G_ij)/ε, κ and μ solving the
  /// equations of implicit_column_slopes. Differences are taken from those of a row's largest
  /// entry, in which nearly all of its mass may stand.
  template <class Upstream, class To>
  DIVOT_HD void pull_back(Upstream const& g, To const& to) const {
    index const n = s_.matrix.rows, m = s_.matrix.columns;
    auto const& c = s_.coupling;
    sums const add_up(s_.matrix.sums);
    sums::each(n, [&](index i) {
      index largest = 0;
      double most = -1;
      for (index j = 0; j < m; ++j) {
        double const p = plan_across(i, j);
        if (p > most) {
          most = p;
          largest = j;
        }
      }
      chief_[i] = static_cast<double>(largest);
    });
    auto const chief = [&](index i) { return static_cast<index>(chief_[i]); };
    double* const means = s_.next_x;
    add_up.add(
        m, n, [&](index j, index i) { return plan_across(i, j) * (g(i, j) - g(i, chief(i))); },
        [&](index i, double sum) { means[i] = sum / s_.a[i]; });
    add_up.add(
        n, m,
        [&](index i, index j) { return plan(i, j) * ((g(i, j) - g(i, chief(i))) - means[i]); },
        [&](index j, double sum) { c.rest[j] = sum; });
    shared_coupling<Group, Domain> const coupling(domain_, s_.matrix, s_.x, s_.y, s_.a, c);
    coupling.solve(1e-13 * shared_total<Group>(m, [&](index j) { return std::fabs(c.rest[j]); }));
    double const* const mu = c.solution;
    auto const further = [&](index i, index j) {
      return (g(i, j) - g(i, chief(i))) - (mu[j] - mu[chief(i)]);
    };
    add_up.add(
        m, n, [&](index j, index i) { return plan_across(i, j) * further(i, j); },
        [&](index i, double sum) { means[i] = sum / s_.a[i]; });
    sums::each_entry(n, m, [&](index i, index j) {
      to(i, j, plan(i, j) * (means[i] - further(i, j)) / goal_.epsilon);
    });
  }

 private:
  using sums = typename Domain::sums;

  double const* cost_;
  double lowest_, mass_;
  solver_goal const& goal_;
  solver_memory& s_;
  double* chief_;
  Domain domain_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
