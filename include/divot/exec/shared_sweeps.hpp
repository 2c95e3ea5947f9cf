// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/shared_sums.hpp>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// A number for each row or column, or the same for all.
struct sample_masses {
  double const* each = nullptr;
  double common = 1;
  DIVOT_HD double operator()(index i) const { return each != nullptr ? each[i] : common; }
};

/// A transport problem that the threads of a group share: C, row after row, and how many sweeps are
/// made. Masses are positive.
struct shared_problem {
  index rows = 0, columns = 0;
  double const* cost = nullptr;
  sample_masses row_mass, column_mass;
  double epsilon = 1;
  index sweeps = 1;
};

/// What its sweeps work in, and leave behind to be undone. `matrix` and `across` hold exp(−C/ε), or
/// −C/ε, row after row and column after column, so that sums of either kind read neighbours.
struct shared_history {
  double *matrix = nullptr, *across = nullptr;  // rows × columns
  double* of_rows = nullptr;                    // sweeps × rows
  double* of_columns = nullptr;                 // (sweeps + 1) × columns
  double* row_sums = nullptr;                   // sweeps × rows
  double* column_sums = nullptr;                // sweeps × columns
  double* spare = nullptr;                      // rows
  double* sums = nullptr;                       // shared_history_sums

  DIVOT_HD static index sums_room(index rows, index columns) {
    index const a = 2 * parts_of(rows) * columns, b = 2 * parts_of(columns) * rows;
    return a > b ? a : b;
  }
  /// Lays it out in `memory`; how many numbers that is.
  DIVOT_HD index take(double* memory, index rows, index columns, index sweeps) {
    index at = 0;
    auto const next = [&](index count) {
      double* const begin = memory == nullptr ? nullptr : memory + at;
      at += (count + 3) / 4 * 4;
      return begin;
    };
    matrix = next(rows * columns);
    across = next(rows * columns);
    of_rows = next(sweeps * rows);
    of_columns = next((sweeps + 1) * columns);
    row_sums = next(sweeps * rows);
    column_sums = next(sweeps * columns);
    spare = next(rows);
    sums = next(sums_room(rows, columns));
    return at;
  }
};

/// Sinkhorn's sweeps on K = exp(−C/ε): kernel_sweeps for threads of a group, which is its oracle.
template <class Group>
class shared_kernel_sweeps {
 public:
  DIVOT_HD shared_kernel_sweeps(shared_problem const& problem, shared_history const& history)
      : p_(problem), h_(history), sums_(history.sums) {}

  DIVOT_HD void run() const {
    index const n = p_.rows, m = p_.columns;
    sums::each_entry(n, m, [&](index i, index j) {
      double const k = std::exp(-p_.cost[i * m + j] / p_.epsilon);
      h_.matrix[i * m + j] = k;
      h_.across[j * n + i] = k;
    });
    sums::each(m, [&](index j) { v(0)[j] = 1; });
    for (index k = 0; k < p_.sweeps; ++k) {
      over_columns(v(k), [&](index i, double sum) {
        row_sums(k)[i] = sum;
        u(k)[i] = p_.row_mass(i) / sum;
      });
      over_rows(u(k), [&](index j, double sum) {
        column_sums(k)[j] = sum;
        v(k + 1)[j] = p_.column_mass(j) / sum;
      });
    }
  }

  /// f and g with P = exp((f⊕g − C)/ε), and P.
  DIVOT_HD double row_potential(index i) const {
    return p_.epsilon * std::log(u(p_.sweeps - 1)[i]);
  }
  DIVOT_HD double column_potential(index j) const { return p_.epsilon * std::log(v(p_.sweeps)[j]); }
  DIVOT_HD double plan(index i, index j) const {
    return u(p_.sweeps - 1)[i] * h_.matrix[i * p_.columns + j] * v(p_.sweeps)[j];
  }
  /// The same, for neighbouring i.
  DIVOT_HD double plan_across(index i, index j) const {
    return u(p_.sweeps - 1)[i] * h_.across[j * p_.rows + i] * v(p_.sweeps)[j];
  }

  /// From G(i, j) = ∂L/∂P_ij to to(i, j, ∂L/∂C_ij) through every sweep. What is left in the history
  /// afterwards are the sums' derivatives.
  template <class Upstream, class To>
  DIVOT_HD void pull_back(Upstream const& g, To const& to) const {
    index const n = p_.rows, m = p_.columns, last = p_.sweeps - 1;
    double *const own = u(last), *const other = v(last + 1);
    sums_.add(
        m, n, [&](index j, index i) { return other[j] * h_.across[j * n + i] * g(i, j); },
        [&](index i, double sum) { h_.spare[i] = sum; });
    auto const take_columns = [&](index k) {
      return [this, k](index j, double sum) {
        column_sums(k)[j] = -sum * v(k + 1)[j] / column_sums(k)[j];
      };
    };
    sums_.add(
        n, m, [&](index i, index j) { return own[i] * h_.matrix[i * m + j] * g(i, j); },
        take_columns(last));
    for (index k = last; k >= 0; --k) {
      over_columns(column_sums(k), [&](index i, double sum) {
        double const direct = k == last ? h_.spare[i] : 0;
        row_sums(k)[i] = -(direct + sum) * u(k)[i] / row_sums(k)[i];
      });
      if (k > 0) over_rows(row_sums(k), take_columns(k - 1));
    }
    // the product of 2·sweeps rank-1 terms, some rows at a time
    constexpr index together = 8;
    sums::each_part(n, m, [&](index first, index end, index j) {
      for (index i = first; i < end; i += together) {
        double sum[together];
        index at[together];
        for (index r = 0; r < together; ++r) {
          at[r] = i + r < end ? i + r : end - 1;
          sum[r] = own[at[r]] * g(at[r], j) * other[j];
        }
        for (index k = 0; k <= last; ++k) {
          double const s = column_sums(k)[j], x = v(k)[j];
          for (index r = 0; r < together; ++r) {
            sum[r] += u(k)[at[r]] * s + row_sums(k)[at[r]] * x;
          }
        }
        for (index r = 0; r < together && i + r < end; ++r) {
          to(i + r, j, -sum[r] * h_.matrix[(i + r) * m + j] / p_.epsilon);
        }
      }
    });
  }

 private:
  using sums = shared_sums<Group>;

  /// take(i, Σ_j K_ij x_j) and take(j, Σ_i K_ij x_i).
  template <class Take>
  DIVOT_HD void over_columns(double const* x, Take const& take) const {
    double const* const across = h_.across;
    index const n = p_.rows;
    sums_.add(
        p_.columns, n, [&](index j, index i) { return x[j] * across[j * n + i]; }, take);
  }
  template <class Take>
  DIVOT_HD void over_rows(double const* x, Take const& take) const {
    double const* const matrix = h_.matrix;
    index const m = p_.columns;
    sums_.add(
        p_.rows, m, [&](index i, index j) { return x[i] * matrix[i * m + j]; }, take);
  }

  DIVOT_HD double* u(index k) const { return h_.of_rows + k * p_.rows; }
  DIVOT_HD double* v(index k) const { return h_.of_columns + k * p_.columns; }
  DIVOT_HD double* row_sums(index k) const { return h_.row_sums + k * p_.rows; }
  DIVOT_HD double* column_sums(index k) const { return h_.column_sums + k * p_.columns; }

  shared_problem const& p_;
  shared_history const& h_;
  sums sums_;
};

/// The same on potentials, here in units of ε: log_sweeps for threads of a group.
template <class Group>
class shared_log_sweeps {
 public:
  DIVOT_HD shared_log_sweeps(shared_problem const& problem, shared_history const& history)
      : p_(problem), h_(history), sums_(history.sums) {}

  DIVOT_HD void run() const {
    index const n = p_.rows, m = p_.columns;
    sums::each_entry(n, m, [&](index i, index j) {
      double const x = -p_.cost[i * m + j] / p_.epsilon;
      h_.matrix[i * m + j] = x;
      h_.across[j * n + i] = x;
    });
    sums::each(m, [&](index j) { g(0)[j] = 0; });
    for (index k = 0; k < p_.sweeps; ++k) {
      double *const rows = f(k), *const before = g(k), *const after = g(k + 1);
      sums_.add_exponentials(
          m, n, [&](index j, index i) { return before[j] + h_.across[j * n + i]; },
          [&](index i, double sum) { rows[i] = std::log(p_.row_mass(i)) - sum; });
      sums_.add_exponentials(
          n, m, [&](index i, index j) { return rows[i] + h_.matrix[i * m + j]; },
          [&](index j, double sum) { after[j] = std::log(p_.column_mass(j)) - sum; });
    }
  }

  DIVOT_HD double row_potential(index i) const { return p_.epsilon * f(p_.sweeps - 1)[i]; }
  DIVOT_HD double column_potential(index j) const { return p_.epsilon * g(p_.sweeps)[j]; }
  DIVOT_HD double plan(index i, index j) const { return at(f(p_.sweeps - 1), g(p_.sweeps), i, j); }
  DIVOT_HD double plan_across(index i, index j) const {
    return at_across(f(p_.sweeps - 1), g(p_.sweeps), i, j);
  }

  /// From G(i, j) = ∂L/∂P_ij to to(i, j, ∂L/∂C_ij) through every sweep. In the sums' place are the
  /// derivatives of the rows' and columns' potentials afterwards, over their masses.
  template <class Upstream, class To>
  DIVOT_HD void pull_back(Upstream const& upstream, To const& to) const {
    index const n = p_.rows, m = p_.columns, last = p_.sweeps - 1;
    double const per_epsilon = 1 / p_.epsilon;
    sums_.add(
        m, n, [&](index j, index i) { return plan_across(i, j) * upstream(i, j); },
        [&](index i, double sum) { h_.spare[i] = sum * per_epsilon; });
    sums_.add(
        n, m, [&](index i, index j) { return plan(i, j) * upstream(i, j); },
        [&](index j, double sum) { column_sums(last)[j] = sum * per_epsilon / p_.column_mass(j); });
    for (index k = last; k >= 0; --k) {
      double *const of_g = column_sums(k), *const of_f = row_sums(k);
      sums_.add(
          m, n, [&](index j, index i) { return at_across(f(k), g(k + 1), i, j) * of_g[j]; },
          [&](index i, double sum) {
            double const direct = k == last ? h_.spare[i] : 0;
            of_f[i] = (direct - sum) / p_.row_mass(i);
          });
      if (k == 0) break;
      sums_.add(
          n, m, [&](index i, index j) { return at(f(k), g(k), i, j) * of_f[i]; },
          [&](index j, double sum) { column_sums(k - 1)[j] = -sum / p_.column_mass(j); });
    }
    sums::each_entry(n, m, [&](index i, index j) {
      double sum = -plan(i, j) * upstream(i, j) * per_epsilon;
      for (index k = 0; k <= last; ++k) {
        sum += at(f(k), g(k + 1), i, j) * column_sums(k)[j] + at(f(k), g(k), i, j) * row_sums(k)[i];
      }
      to(i, j, sum);
    });
  }

 private:
  using sums = shared_sums<Group>;

  DIVOT_HD double at(double const* f, double const* g, index i, index j) const {
    return std::exp(f[i] + g[j] + h_.matrix[i * p_.columns + j]);
  }
  DIVOT_HD double at_across(double const* f, double const* g, index i, index j) const {
    return std::exp(f[i] + g[j] + h_.across[j * p_.rows + i]);
  }

  DIVOT_HD double* f(index k) const { return h_.of_rows + k * p_.rows; }
  DIVOT_HD double* g(index k) const { return h_.of_columns + k * p_.columns; }
  DIVOT_HD double* row_sums(index k) const { return h_.row_sums + k * p_.rows; }
  DIVOT_HD double* column_sums(index k) const { return h_.column_sums + k * p_.columns; }

  shared_problem const& p_;
  shared_history const& h_;
  sums sums_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
