// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkhorn.hpp>
#include <divot/exec/shared_coupling.hpp>

#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// What the threads of a group share while they solve a problem.
struct solver_memory {
  shared_matrix matrix;
  double *a = nullptr, *b = nullptr;  // masses
  double *x = nullptr, *y = nullptr;  // factors of rows and columns
  double* sums = nullptr;             // of columns, as the domain has them
  double *next_x = nullptr, *next_y = nullptr, *next_sums = nullptr;
  coupling_memory coupling;

  template <class Next>
  DIVOT_HD void take(index rows, index columns, Next& next) {
    matrix.take(rows, columns, next);
    a = next(rows);
    x = next(rows);
    next_x = next(rows);
    b = next(columns);
    y = next(columns);
    sums = next(columns);
    next_y = next(columns);
    next_sums = next(columns);
    coupling.take(rows, columns, next);
  }
};

/// How far a problem is to be solved; range: of its costs, from 0 on. sweeps 0: to the tolerance,
/// which is a part of the mass.
struct solver_goal {
  double epsilon = 1, range = 0, mass = 1, tolerance = 1e-9;
  int sweeps = 0, max_sweeps = 10000, newton_steps = 100;
};

/// Solves a problem by the threads of a group: sweeps, rows first, and where these are slow
/// Newton's steps on the semi-dual, the rows' potentials following. The masses and the domain's
/// matrix are there; x and y are what is found, in the memory's own pointers.
template <class Group, class Domain>
class shared_solver {
 public:
  DIVOT_HD shared_solver(solver_goal const& goal, Domain const& domain, solver_memory& memory)
      : to_(goal),
        domain_(domain),
        s_(memory),
        n_(memory.matrix.rows),
        m_(memory.matrix.columns),
        error_(goal.tolerance * goal.mass) {}

  DIVOT_HD DIVOT_NOINLINE transport_status run() {
    each(m_, [&](index j) { s_.y[j] = Domain::first_of(s_.b[j]); });
    constexpr double far = std::numeric_limits<double>::infinity();
    double const digits = 4e-16 * (to_.range + to_.epsilon) / to_.epsilon;
    double const roundoff = (digits < 1e-8 ? 1e-8 : digits > 1e-4 ? 1e-4 : digits) * to_.mass;
    double error = far, best = far;
    int stalled = 0, next_try = first_sweeps;
    for (;;) {
      best_rows(s_.x, s_.y, s_.sums);
      if (to_.sweeps == 0) {
        double const now = error_of(s_.y, s_.sums), rate = now / error;
        error = now;
        if (error <= error_) return transport_status::converged;
        stalled = error < best ? 0 : stalled + 1;
        best = error < best ? error : best;
        if (stalled >= 20 && error <= roundoff) return transport_status::stalled_roundoff;
        if (sweeps >= to_.max_sweeps) return transport_status::max_sweeps;
        if (m_ > 1 && sweeps >= next_try && newton_steps < to_.newton_steps) {
          double const left = rate < 1 ? std::log(error_ / error) / std::log(rate) : far;
          if (!(left < slow_sweeps)) {
            if (newton(error)) return transport_status::converged;
            next_try = 2 * sweeps;  // from further on it may find its way
            stalled = 0;
            best = error = far;
          }
        }
      }
      each(m_, [&](index j) { s_.y[j] = Domain::factor_of(s_.b[j], s_.sums[j]); });
      if (++sweeps == to_.sweeps) return transport_status::sweeps_done;
    }
  }

  int sweeps = 0, newton_steps = 0;

 private:
  static constexpr int first_sweeps = 10;
  /// What three of Newton's steps are worth in sweeps: each solves by some tens of products.
  static constexpr double slow_sweeps = 200;

  template <class Body>
  DIVOT_HD static void each(index count, Body const& body) {
    shared_sums<Group>::each(count, body);
  }
  /// The rows' best answer to y, and what it gives the columns.
  DIVOT_HD DIVOT_NOINLINE void best_rows(double* x, double const* y, double* sums) const {
    domain_.sum_rows(y, [&](index i, double sum) { x[i] = Domain::factor_of(s_.a[i], sum); });
    domain_.sum_columns(x, [&](index j, double sum) { sums[j] = sum; });
  }
  /// What column j lacks.
  DIVOT_HD double missing(double const* y, double const* sums, index j) const {
    return s_.b[j] > 0 ? s_.b[j] - Domain::mass_of(y[j], sums[j]) : 0;
  }
  DIVOT_HD double error_of(double const* y, double const* sums) const {
    return shared_total<Group>(m_, [&](index j) { return std::fabs(missing(y, sums, j)); });
  }
  /// The semi-dual over ε.
  DIVOT_HD double worth(double const* x, double const* y) const {
    auto const of = [](double mass, double factor) {
      return mass > 0 ? mass * Domain::potential_of(factor) : 0;
    };
    return shared_total<Group>(n_, [&](index i) { return of(s_.a[i], x[i]); }) +
           shared_total<Group>(m_, [&](index j) { return of(s_.b[j], y[j]); });
  }

  /// Steps on the columns' potentials; true where they have led to the tolerance. x, y and sums
  /// belong together before and afterwards.
  DIVOT_HD DIVOT_NOINLINE bool newton(double error) {
    double const reach = (to_.range + to_.epsilon) / to_.epsilon;
    auto const& c = s_.coupling;
    while (newton_steps < to_.newton_steps) {
      shared_coupling<Group, Domain> const coupling(domain_, s_.matrix, s_.x, s_.y, s_.a, c);
      each(m_, [&](index j) { c.rest[j] = missing(s_.y, s_.sums, j); });
      double const part = error / to_.mass < .1 ? error / to_.mass : .1;
      coupling.solve(.1 * error_ > part * error ? .1 * error_ : part * error);
      double const longest = shared_largest<Group>(m_, [&](index j) { return c.solution[j]; });
      double const slope = shared_total<Group>(
          m_, [&](index j) { return c.solution[j] * missing(s_.y, s_.sums, j); });
      if (!is_finite_number(slope) || !is_finite_number(longest) || !(longest > 0)) return false;
      ++newton_steps;
      double const value = worth(s_.x, s_.y);
      bool better = false;
      // where columns hardly hang together a step goes anywhere
      double const whole = reach < longest ? reach / longest : 1;
      for (double t = whole; t > 1e-8 * whole && !better; t /= 2) {
        each(m_, [&](index j) { s_.next_y[j] = Domain::moved(s_.y[j], t * c.solution[j]); });
        best_rows(s_.next_x, s_.next_y, s_.next_sums);
        double const next_error = error_of(s_.next_y, s_.next_sums);
        double const next_value = worth(s_.next_x, s_.next_y);
        better = next_value >= value + 1e-4 * t * slope && next_value > value;
        // near the end the value has no digits left that tell, and errors do
        better = better || (next_error <= (1 - .5 * (t < .5 ? t : .5)) * error &&
                            next_value >= value - 1e-12 * std::fabs(value));
        better = better && is_finite_number(next_error);
        if (better) error = next_error;
      }
      if (!better) return false;
      exchange(s_.x, s_.next_x);
      exchange(s_.y, s_.next_y);
      exchange(s_.sums, s_.next_sums);
      if (error <= error_) return true;
    }
    return false;
  }
  DIVOT_HD static void exchange(double*& a, double*& b) {
    double* const was = a;
    a = b;
    b = was;
  }

  solver_goal const& to_;
  Domain const& domain_;
  solver_memory& s_;
  index n_, m_;
  double error_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
