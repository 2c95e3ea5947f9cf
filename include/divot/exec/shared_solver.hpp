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
    int stalled = 0, next_try = first_sweeps, patience = first_patience;
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
          // while most of the mass is in the wrong place Newton's steps go nowhere
          bool const early = error > .1 * to_.mass && sweeps < step_worth;
          if (!early && !(left < 3 * step_worth)) {
            int const before = newton_steps;
            if (newton(error, patience)) return transport_status::converged;
            // sweeps may take as long as those steps did, and then steps twice as long
            int const spent = (newton_steps - before) * step_worth;
            next_try = sweeps + (spent > first_sweeps ? spent : first_sweeps);
            patience = 2 * patience < to_.newton_steps ? 2 * patience : to_.newton_steps;
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
  static constexpr int first_sweeps = 10, first_patience = 3;
  /// What a step of Newton's is worth in sweeps: it takes some tens of products.
  static constexpr int step_worth = 70;

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

  /// Steps on the columns' potentials; true where they have led to the tolerance, and no more than
  /// `patience` that did not halve the error. x, y and sums belong together before and afterwards.
  /// As newtons_method holds them back: where a step is longer than a radius it is made with a part
  /// of the columns' masses on the diagonal.
  DIVOT_HD DIVOT_NOINLINE bool newton(double error, int patience) {
    double const reach = (to_.range + to_.epsilon) / to_.epsilon;
    double radius = reach;
    auto const& c = s_.coupling;
    auto const lacks = [&](index j) { return missing(s_.y, s_.sums, j); };
    auto const mass = [&](index j) {
      double const there = s_.b[j] > 0 ? Domain::mass_of(s_.y[j], s_.sums[j]) : 0;
      return there > s_.b[j] ? there : s_.b[j];
    };
    auto const longest = [&] {
      return shared_largest<Group>(m_, [&](index j) { return c.solution[j]; });
    };
    while (newton_steps < to_.newton_steps) {
      shared_coupling<Group, Domain> const coupling(domain_, s_.matrix, s_.x, s_.y, s_.a, c);
      double const part = error / to_.mass < .1 ? error / to_.mass : .1;
      double const enough = .1 * error_ > part * error ? .1 * error_ : part * error;
      each(m_, [&](index j) { c.rest[j] = lacks(j); });
      coupling.solve(enough);
      double length = longest();
      bool const damped = !(length <= radius);
      if (damped) {
        double const most = shared_largest<Group>(
            m_, [&](index j) { return mass(j) > 0 ? lacks(j) / mass(j) : 0; });
        each(m_, [&](index j) { c.rest[j] = lacks(j); });
        coupling.solve_damped(enough, most / radius, mass);
        length = longest();
      }
      double const slope =
          shared_total<Group>(m_, [&](index j) { return c.solution[j] * lacks(j); });
      if (!is_finite_number(slope) || !is_finite_number(length) || !(length > 0)) return false;
      ++newton_steps;
      double const before = error, value = worth(s_.x, s_.y);
      bool better = false;
      double t = 1;
      for (; t > 1e-4 && !better; t /= 2) {
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
      if (!better) {
        radius = t * length;
        if (!(radius > 1e-3)) return false;
        continue;
      }
      if (t < .5) {
        radius /= 2;
      } else if (damped) {
        radius = 2 * radius < reach ? 2 * radius : reach;
      }
      exchange(s_.x, s_.next_x);
      exchange(s_.y, s_.next_y);
      exchange(s_.sums, s_.next_sums);
      if (error > error_ && error > .25 * before) {  // half a sweep mends what a step does badly
        each(m_, [&](index j) { s_.y[j] = Domain::factor_of(s_.b[j], s_.sums[j]); });
        best_rows(s_.x, s_.y, s_.sums);
        error = error_of(s_.y, s_.sums);
      }
      if (error <= error_) return true;
      if (error > .5 * before && --patience == 0) return false;
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
