// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/transport/coupling.hpp>
#include <divot/transport/passes.hpp>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// Newton's method on the semi-dual, what a problem's dual is worth with the rows' best answer to
/// the columns' potentials g: g += ε H⁻¹(b − Pᵀ1), H how the plan couples its columns.
///
/// Far from the solution a step would be too long where columns hardly hang together. One that is
/// longer than a radius is taken with a part μ of the columns' masses on H's diagonal, which with
/// μ = 1 would make it hardly more than a sweep's (Levenberg and Marquardt); what such a step does
/// badly, columns of hardly any mass, half a sweep after it does well.
template <execution_policy Policy>
class newtons_method {
 public:
  using vector = typename transport_types<Policy>::vector;
  using passes = plan_passes<Policy>;

  /// `range`: of the costs
  newtons_method(passes const& over, transport_marginals const& to, double range)
      : over_(over), to_(to), far_((range + to.epsilon) / to.epsilon) {}

  /// Steps on g, f following, counted down from those that are left; whether they led to an error
  /// of `goal`. No more than `patience` that did not halve the error.
  bool run(vector& f, vector& g, double goal, int& steps, int patience) {
    vector next_g(g.size()), next_f = f, sums(g.size()), next_sums(g.size());
    over_.best_rows(to_, g, f, sums);
    vector rest = to_.wanted_columns(g) - sums;
    double error = rest.template lpNorm<1>(), radius = far_;
    while (error > goal) {
      if (steps == 0) return false;
      bool damped = false;
      vector const direction = step(f, g, sums, rest, goal, radius, damped);
      if (!direction.allFinite()) return false;
      --steps;
      double const before = error, value = worth(f, g, sums), slope = rest.dot(direction);
      bool better = false;
      double t = 1;
      for (; t > 1e-4 && !better; t /= 2) {
        next_g = g + t * direction;
        over_.best_rows(to_, next_g, next_f, next_sums);
        double const next_error = (next_sums - to_.wanted_columns(next_g)).template lpNorm<1>();
        double const next_value = worth(next_f, next_g, next_sums);
        better = next_value >= value + 1e-4 * t * slope && next_value > value;
        // near the end the value has no digits left that tell, and errors do; further away they
        // lead in circles
        better = better || (next_error <= (1 - .5 * std::min(t, .5)) * error &&
                            next_value >= value - 1e-12 * std::abs(value));
        if (better) error = next_error;
      }
      if (!better) {
        radius = t * direction.cwiseAbs().maxCoeff() / to_.epsilon;
        if (!(radius > 1e-3)) return false;
        continue;
      }
      if (t < .5) {
        radius /= 2;
      } else if (damped) {
        radius = std::min(2 * radius, far_);
      }
      g.swap(next_g);
      f.swap(next_f);
      sums.swap(next_sums);
      if (error > goal && error > .25 * before) {
        over_.best_columns(to_, f, sums, g);
        over_.best_rows(to_, g, f, sums);
        error = (sums - to_.wanted_columns(g)).template lpNorm<1>();
      }
      rest = to_.wanted_columns(g) - sums;
      if (error > .5 * before && --patience == 0) return false;
    }
    return true;
  }

 private:
  vector step(vector const& f, vector const& g, vector const& sums, vector const& rest, double goal,
              double radius, bool& damped) const {
    vector const row_sums = to_.wanted_rows(f);
    // with μ of the masses m no entry is larger than max|rest/m|/μ: (H + μ diag(m))⁻¹ m ≤ 1/μ of
    // Laplacians H
    auto const solve = [&](auto&& coupling, auto const&... enough) -> vector {
      vector x = coupling.solve(rest, enough...);
      damped = !(x.cwiseAbs().maxCoeff() <= radius);
      if (damped) {
        vector const masses = sums.cwiseMax(to_.wanted_columns(g));
        double const most = rest.cwiseQuotient(masses.cwiseMax(1e-300)).cwiseAbs().maxCoeff();
        coupling.add(most / radius * masses);
        x = coupling.solve(rest, enough...);
      }
      return to_.epsilon * x;
    };
    if (g.size() <= most_factored_columns) {
      return solve(factored_coupling(over_, to_, f, g, row_sums, sums));
    }
    double const error = rest.template lpNorm<1>();
    double const enough = std::max(.1 * goal, std::min(.1, error / to_.b.sum()) * error);
    return solve(iterated_coupling(over_, to_, f, g, row_sums, sums), enough);
  }

  /// The semi-dual's value.
  double worth(vector const& f, vector const& g, vector const& sums) const {
    if (to_.exact()) return to_.a.dot(f) + to_.b.dot(g);
    double sum = -to_.epsilon * sums.sum();
    for (Eigen::Index i = 0; i < f.size(); ++i) {
      double const own = f(i) - to_.epsilon * std::log(to_.a(i));
      sum += to_.a(i) * transport_marginals::reward(own, to_.row_penalty);
    }
    for (Eigen::Index j = 0; j < g.size(); ++j) {
      double const own = g(j) - to_.epsilon * std::log(to_.b(j));
      sum += to_.b(j) * transport_marginals::reward(own, to_.column_penalty);
    }
    return sum;
  }

  passes const& over_;
  transport_marginals const& to_;
  double far_;  // no solution's potentials are further apart, in units of ε
};

}  // namespace DIVOT_ABI
}  // namespace divot
