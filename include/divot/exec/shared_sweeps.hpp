// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/shared_domains.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// A transport problem that the threads of a group share: C, row after row, the mass of every row
/// and of every column, and how many sweeps are made.
struct shared_problem {
  double const* cost = nullptr;
  double row_mass = 1, column_mass = 1;
  double epsilon = 1;
  index sweeps = 1;
};

/// What its sweeps work in, and leave behind to be undone.
struct shared_history {
  shared_matrix matrix;
  double* of_rows = nullptr;      // factors, sweeps × rows
  double* of_columns = nullptr;   // (sweeps + 1) × columns
  double* row_sums = nullptr;     // sweeps × rows
  double* column_sums = nullptr;  // sweeps × columns
  double* spare = nullptr;        // rows

  /// Takes its arrays from next(how many numbers).
  template <class Next>
  DIVOT_HD void take(index rows, index columns, index sweeps, Next& next) {
    matrix.take(rows, columns, next);
    of_rows = next(sweeps * rows);
    of_columns = next((sweeps + 1) * columns);
    row_sums = next(sweeps * rows);
    column_sums = next(sweeps * columns);
    spare = next(rows);
  }
};

/// Sinkhorn's sweeps from the columns' potentials 0, rows first, by the threads of a group.
template <class Domain>
class shared_sweeps {
 public:
  DIVOT_HD shared_sweeps(shared_problem const& problem, shared_history const& history)
      : p_(problem), h_(history), domain_(history.matrix) {}

  /// Always true: so many sweeps are made.
  DIVOT_HD bool run() const {
    index const m = columns();
    domain_.fill(p_.epsilon, [&](index i, index j) { return p_.cost[i * m + j]; });
    sums::each(m, [&](index j) { y(0)[j] = Domain::first_of(p_.column_mass); });
    for (index k = 0; k < p_.sweeps; ++k) {
      domain_.sum_rows(y(k), [&](index i, double sum) {
        row_sums(k)[i] = sum;
        x(k)[i] = Domain::factor_of(p_.row_mass, sum);
      });
      domain_.sum_columns(x(k), [&](index j, double sum) {
        column_sums(k)[j] = sum;
        y(k + 1)[j] = Domain::factor_of(p_.column_mass, sum);
      });
    }
    return true;
  }

  /// f and g with P = exp((f⊕g − C)/ε), and P.
  DIVOT_HD double row_potential(index i) const {
    return p_.epsilon * Domain::potential_of(x(p_.sweeps - 1)[i]);
  }
  DIVOT_HD double column_potential(index j) const {
    return p_.epsilon * Domain::potential_of(y(p_.sweeps)[j]);
  }
  DIVOT_HD double plan(index i, index j) const {
    return domain_.entry(x(p_.sweeps - 1)[i], y(p_.sweeps)[j], i, j);
  }
  /// The same, for neighbouring i.
  DIVOT_HD double plan_across(index i, index j) const {
    return domain_.entry_across(x(p_.sweeps - 1)[i], y(p_.sweeps)[j], i, j);
  }

 protected:
  using sums = typename Domain::sums;

  DIVOT_HD index rows() const { return h_.matrix.rows; }
  DIVOT_HD index columns() const { return h_.matrix.columns; }
  DIVOT_HD double* x(index k) const { return h_.of_rows + k * rows(); }
  DIVOT_HD double* y(index k) const { return h_.of_columns + k * columns(); }
  DIVOT_HD double* row_sums(index k) const { return h_.row_sums + k * rows(); }
  DIVOT_HD double* column_sums(index k) const { return h_.column_sums + k * columns(); }

  shared_problem const& p_;
  shared_history const& h_;
  Domain domain_;
};

/// On K = exp(−C/ε): what kernel_sweeps is for one worker, which is its oracle.
template <class Group>
class shared_kernel_sweeps : public shared_sweeps<shared_kernel<Group>> {
  using base = shared_sweeps<shared_kernel<Group>>;
  using base::column_sums, base::columns, base::domain_, base::h_, base::p_, base::row_sums,
      base::rows, base::x, base::y;
  using typename base::sums;

 public:
  using base::base;

  /// From G(i, j) = ∂L/∂P_ij to to(i, j, ∂L/∂C_ij) through every sweep. What is left in the history
  /// afterwards are the sums' derivatives.
  template <class Upstream, class To>
  DIVOT_HD void pull_back(Upstream const& g, To const& to) const {
    index const n = rows(), m = columns(), last = p_.sweeps - 1;
    double const *const matrix = h_.matrix.matrix, *const across = h_.matrix.across;
    double const *const own = x(last), *const other = y(last + 1);
    sums const add_up(h_.matrix.sums);
    add_up.add(
        m, n, [&](index j, index i) { return other[j] * across[j * n + i] * g(i, j); },
        [&](index i, double sum) { h_.spare[i] = sum; });
    auto const take_columns = [&](index k) {
      return [this, k](index j, double sum) {
        column_sums(k)[j] = -sum * y(k + 1)[j] / column_sums(k)[j];
      };
    };
    add_up.add(
        n, m, [&](index i, index j) { return own[i] * matrix[i * m + j] * g(i, j); },
        take_columns(last));
    for (index k = last; k >= 0; --k) {
      domain_.sum_rows(column_sums(k), [&](index i, double sum) {
        double const direct = k == last ? h_.spare[i] : 0;
        row_sums(k)[i] = -(direct + sum) * x(k)[i] / row_sums(k)[i];
      });
      if (k > 0) domain_.sum_columns(row_sums(k), take_columns(k - 1));
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
          double const s = column_sums(k)[j], z = y(k)[j];
          for (index r = 0; r < together; ++r) {
            sum[r] += x(k)[at[r]] * s + row_sums(k)[at[r]] * z;
          }
        }
        for (index r = 0; r < together && i + r < end; ++r) {
          to(i + r, j, -sum[r] * matrix[(i + r) * m + j] / p_.epsilon);
        }
      }
    });
  }
};

/// On potentials, in units of ε: what log_sweeps is for one worker.
template <class Group>
class shared_log_sweeps : public shared_sweeps<shared_logarithms<Group>> {
  using base = shared_sweeps<shared_logarithms<Group>>;
  using base::column_sums, base::columns, base::domain_, base::h_, base::p_, base::row_sums,
      base::rows, base::x, base::y;
  using typename base::sums;

 public:
  using base::base, base::plan, base::plan_across;

  /// As above. In the sums' place are the derivatives of the rows' and columns' potentials
  /// afterwards, over their masses.
  template <class Upstream, class To>
  DIVOT_HD void pull_back(Upstream const& g, To const& to) const {
    index const n = rows(), m = columns(), last = p_.sweeps - 1;
    double const per_epsilon = 1 / p_.epsilon, a = p_.row_mass, b = p_.column_mass;
    sums const add_up(h_.matrix.sums);
    add_up.add(
        m, n, [&](index j, index i) { return plan_across(i, j) * g(i, j); },
        [&](index i, double sum) { h_.spare[i] = sum * per_epsilon; });
    add_up.add(
        n, m, [&](index i, index j) { return plan(i, j) * g(i, j); },
        [&](index j, double sum) { column_sums(last)[j] = sum * per_epsilon / b; });
    for (index k = last; k >= 0; --k) {
      double *const of_y = column_sums(k), *const of_x = row_sums(k);
      add_up.add(
          m, n,
          [&](index j, index i) {
            return domain_.entry_across(x(k)[i], y(k + 1)[j], i, j) * of_y[j];
          },
          [&](index i, double sum) {
            double const direct = k == last ? h_.spare[i] : 0;
            of_x[i] = (direct - sum) / a;
          });
      if (k == 0) break;
      add_up.add(
          n, m, [&](index i, index j) { return domain_.entry(x(k)[i], y(k)[j], i, j) * of_x[i]; },
          [&](index j, double sum) { column_sums(k - 1)[j] = -sum / b; });
    }
    sums::each_entry(n, m, [&](index i, index j) {
      double sum = -plan(i, j) * g(i, j) * per_epsilon;
      for (index k = 0; k <= last; ++k) {
        sum += domain_.entry(x(k)[i], y(k + 1)[j], i, j) * column_sums(k)[j] +
               domain_.entry(x(k)[i], y(k)[j], i, j) * row_sums(k)[i];
      }
      to(i, j, sum);
    });
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
