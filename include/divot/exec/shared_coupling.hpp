// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/shared_domains.hpp>

#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// Σ_k term(k), to all threads of a group.
template <class Group, class Term>
DIVOT_HD double shared_total(index count, Term const& term) {
  double sum = 0;
  thread_share const mine = Group::share(count);
  for (index k = mine.begin; k < mine.end; k += mine.step) sum += term(k);
  return Group::sum(sum);
}
/// The largest of |term(k)|, to all threads; NaN is none.
template <class Group, class Term>
DIVOT_HD double shared_largest(index count, Term const& term) {
  double most = 0;
  thread_share const mine = Group::share(count);
  for (index k = mine.begin; k < mine.end; k += mine.step) {
    double const x = std::fabs(term(k));
    most = x > most ? x : most;
  }
  return Group::largest(most);
}

/// What the equations of a plan's columns are solved in.
struct coupling_memory {
  double* of_rows = nullptr;                                          // rows
  double *diagonal = nullptr, *rest = nullptr, *direction = nullptr;  // columns
  double *image = nullptr, *solution = nullptr;                       // columns

  template <class Next>
  DIVOT_HD void take(index rows, index columns, Next& next) {
    of_rows = next(rows);
    diagonal = next(columns);
    rest = next(columns);
    direction = next(columns);
    image = next(columns);
    solution = next(columns);
  }
};

/// How a plan couples its columns, c_j δ_jk − Σ_i P_ij P_ik / r_i, solved by conjugate gradients:
/// iterated_coupling by the threads of a group. r: the rows' sums.
template <class Group, class Domain>
class shared_coupling {
 public:
  DIVOT_HD shared_coupling(Domain const& domain, shared_matrix const& matrix, double const* x,
                           double const* y, double const* r, coupling_memory const& memory)
      : domain_(domain),
        n_(matrix.rows),
        m_(matrix.columns),
        sums_(matrix.sums),
        x_(x),
        y_(y),
        r_(r),
        s_(memory) {
    sums_.add(
        n_, m_,
        [&](index i, index j) {
          double const p = entry(i, j);
          return p * (1 - per_row(p, i));
        },
        [&](index j, double sum) { s_.diagonal[j] = sum > 1e-300 ? sum : 1e-300; });
  }

  DIVOT_HD double entry(index i, index j) const { return domain_.entry(x_[i], y_[j], i, j); }
  DIVOT_HD double entry_across(index i, index j) const {
    return domain_.entry_across(x_[i], y_[j], i, j);
  }
  /// v/r_i; 0 of a row without mass.
  DIVOT_HD double per_row(double v, index i) const { return r_[i] > 0 ? v / r_[i] : 0; }

  /// `solution` for what stands in `rest`, which is spent, to this error Σ|rest|. Constants, the
  /// null space, are taken out of `rest`.
  DIVOT_HD void solve(double tolerance) const {
    solve_damped(tolerance, 0, [](index) { return 0.; });
  }
  /// The same with `damping` times each column's mass on the diagonal.
  template <class Mass>
  DIVOT_HD DIVOT_NOINLINE void solve_damped(double tolerance, double damping,
                                            Mass const& mass) const {
    double *const rest = s_.rest, *const direction = s_.direction, *const solution = s_.solution;
    // of a column that nothing reaches nothing is asked
    auto const scaled = [&](index j) {
      double const own = s_.diagonal[j] + damping * mass(j);
      return own > 1e-290 ? rest[j] / own : 0;
    };
    center(rest);
    each(m_, [&](index j) {
      solution[j] = 0;
      direction[j] = scaled(j);
    });
    double weight = total([&](index j) { return rest[j] * direction[j]; });
    index const most = 2 * m_ + 100;
    for (index k = 0; k < most; ++k) {
      if (!(total([&](index j) { return std::fabs(rest[j]); }) > tolerance)) break;
      image_of(direction, damping, mass);
      double const curvature = total([&](index j) { return direction[j] * s_.image[j]; });
      if (!(curvature > 0)) break;
      double const step = weight / curvature;
      each(m_, [&](index j) {
        solution[j] += step * direction[j];
        rest[j] -= step * s_.image[j];
      });
      center(rest);
      double const next = total([&](index j) { return rest[j] * scaled(j); });
      double const share = next / weight;
      each(m_, [&](index j) { direction[j] = scaled(j) + share * direction[j]; });
      weight = next;
    }
    double const last = solution[m_ - 1];
    Group::barrier();
    each(m_, [&](index j) { solution[j] -= last; });
  }

 private:
  template <class Body>
  DIVOT_HD static void each(index count, Body const& body) {
    shared_sums<Group>::each(count, body);
  }
  template <class Term>
  DIVOT_HD double total(Term const& term) const {
    return shared_total<Group>(m_, term);
  }
  template <class Mass>
  DIVOT_HD void image_of(double const* x, double damping, Mass const& mass) const {
    sums_.add(
        m_, n_, [&](index j, index i) { return entry_across(i, j) * x[j]; },
        [&](index i, double sum) { s_.of_rows[i] = per_row(sum, i); });
    sums_.add(
        n_, m_, [&](index i, index j) { return entry(i, j) * (x[j] - s_.of_rows[i]); },
        [&](index j, double sum) { s_.image[j] = sum + damping * mass(j) * x[j]; });
  }
  /// Without what constants would answer for.
  DIVOT_HD void center(double* x) const {
    double const mean = total([&](index j) { return x[j]; }) / static_cast<double>(m_);
    each(m_, [&](index j) { x[j] -= mean; });
  }

  Domain const& domain_;
  index n_, m_;
  shared_sums<Group> sums_;
  double const *x_, *y_, *r_;
  coupling_memory const& s_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
