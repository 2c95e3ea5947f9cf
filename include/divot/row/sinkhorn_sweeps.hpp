// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/dense_row.hpp>
#include <divot/row/kernel_rows.hpp>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// A transport problem: C (rows × columns, row after row), the mass of each row and column, all of
/// them positive, ε, how many sweeps are made and, of log_sweeps, from where; null: from 0.
struct sinkhorn_problem {
  index rows = 0, columns = 0;
  double const *cost = nullptr, *row_mass = nullptr, *column_mass = nullptr;
  double epsilon = 1;
  index sweeps = 1;
  double const* start = nullptr;  // the columns' potentials
};

/// What the sweeps leave behind, sweep after sweep: enough to undo them. In the kernel's domain u,
/// v, K v and Kᵀ u; in the log domain the potentials f and g in the first two. After pull_back the
/// sums are replaced by what the masses' derivatives are made of.
struct sinkhorn_history {
  double* of_rows = nullptr;      // sweeps × rows
  double* of_columns = nullptr;   // (sweeps + 1) × columns; the first is where the sweeps begin
  double* row_sums = nullptr;     // sweeps × rows
  double* column_sums = nullptr;  // sweeps × columns
  double* kernel = nullptr;       // rows × columns
  double* spare = nullptr;        // rows + 3 columns
};

/// Sinkhorn's sweeps on K = exp(−C/ε), which must not underflow: u = a/(K v), v = b/(Kᵀ u), from
/// v = 1. Some rows at a time: what they add to Kᵀ u is added while they are at hand.
template <class Team>
class kernel_sweeps {
 public:
  kernel_sweeps(sinkhorn_problem const& problem, sinkhorn_history const& history)
      : p_(problem), h_(history) {}

  void run() const {
    index const n = p_.rows, m = p_.columns;
    for (index i = 0; i < n; ++i) {
      double const* const c = p_.cost + i * m;
      for (index j = 0; j < m; ++j) kernel(i)[j] = -c[j] / p_.epsilon;
      Team::each(0, m, [&](auto const& place) DIVOT_LAMBDA_INLINE {
        place.store(kernel(i), math::exp(place.load(kernel(i), 0)));
      });
    }
    std::fill_n(v(0), m, 1.);
    for (index k = 0; k < p_.sweeps; ++k) {
      std::fill_n(column_sums(k), m, 0.);
      there_and_back(v(k), column_sums(k), [&](index i, double sum) {
        row_sums(k)[i] = sum;
        return u(k)[i] = p_.row_mass[i] / sum;
      });
      for (index j = 0; j < m; ++j) v(k + 1)[j] = p_.column_mass[j] / column_sums(k)[j];
    }
  }

  /// f and g with P = exp((f⊕g − C)/ε).
  double row_potential(index i) const { return p_.epsilon * std::log(u(p_.sweeps - 1)[i]); }
  double column_potential(index j) const { return p_.epsilon * std::log(v(p_.sweeps)[j]); }

  /// After pull_back: how L changes with a row's, or a column's, mass through all sweeps.
  double row_mass_slope(index i) const {
    double sum = 0;
    for (index k = 0; k < p_.sweeps; ++k) sum -= row_sums(k)[i] / u(k)[i];
    return sum;
  }
  double column_mass_slope(index j) const {
    double sum = 0;
    for (index k = 0; k < p_.sweeps; ++k) sum -= column_sums(k)[j] / v(k + 1)[j];
    return sum;
  }
  /// And with ε beside the costs: these sweeps begin from 0, which no ε divides.
  double start_slope() const { return 0; }

  /// Row i of the plan u_i K_ij v_j.
  void plan(index i, double* out) const {
    double const own = u(p_.sweeps - 1)[i];
    double const* const other = v(p_.sweeps);
    for (index j = 0; j < p_.columns; ++j) out[j] = own * kernel(i)[j] * other[j];
  }

  /// From G = ∂L/∂P to ∂L/∂C through every sweep, in place.
  ///
  /// The derivative in K is diag(u) G diag(v) and, from the sweeps, one product of 2·sweeps rank-1
  /// terms: (u, ∂Kᵀu) and (∂Kv, v) of each sweep.
  void pull_back(double* g) const {
    index const n = p_.rows, m = p_.columns;
    double* const of_u = h_.spare;
    double* const of_v = h_.spare + n;
    double* const term = of_v + m;
    double const* const last_u = u(p_.sweeps - 1);
    double const* const last_v = v(p_.sweeps);
    std::fill_n(of_v, m, 0.);
    for (index i = 0; i < n; ++i) {
      for (index j = 0; j < m; ++j) term[j] = kernel(i)[j] * g[i * m + j];
      of_u[i] = dot_row<Team>(term, last_v, m);
      add_multiple_row<Team>(last_u[i], term, of_v, m);
    }
    for (index k = p_.sweeps - 1; k >= 0; --k) {
      for (index j = 0; j < m; ++j) {
        column_sums(k)[j] = -of_v[j] * v(k + 1)[j] / column_sums(k)[j];
        of_v[j] = 0;
      }
      there_and_back(column_sums(k), of_v, [&](index i, double product) {
        row_sums(k)[i] = -(of_u[i] + product) * u(k)[i] / row_sums(k)[i];
        of_u[i] = 0;
        return row_sums(k)[i];
      });
    }
    for (index i = 0; i < n; ++i) {
      double* const row = g + i * m;
      for (index j = 0; j < m; ++j) row[j] *= last_u[i] * last_v[j];
      for (index k = 0; k < p_.sweeps; k += kernel_rows) {
        add_sweeps(u(k) + i, h_.column_sums, k, row);
        add_sweeps(row_sums(k) + i, h_.of_columns, k, row);
      }
      for (index j = 0; j < m; ++j) row[j] *= -kernel(i)[j] / p_.epsilon;
    }
  }

 private:
  /// y += Kᵀ x with x_i = factor(i, K_i·given).
  template <class Factor>
  void there_and_back(double const* given, double* y, Factor const& factor) const {
    for (index i = 0; i < p_.rows; i += kernel_rows) {
      kernel_row_list<double const> const some(h_.kernel, p_.columns, i, p_.rows);
      typename Team::row products[kernel_rows];
      multiply_kernel_rows<Team>(some, given, p_.columns, products);
      double factors[kernel_rows] = {};
      for (index r = 0; r < some.count; ++r) factors[r] = factor(i + r, products[r]);
      add_kernel_rows<Team>(some, factors, p_.columns, y);
    }
  }
  /// y += Σ_k factor_k x_k over some sweeps from `first`; a sweep's factor lies `rows` behind the
  /// one before.
  void add_sweeps(double const* factors, double const* x, index first, double* y) const {
    kernel_row_list<double const> const some(x, p_.columns, first, p_.sweeps);
    double own[kernel_rows] = {};
    for (index r = 0; r < some.count; ++r) own[r] = factors[r * p_.rows];
    add_kernel_rows<Team>(some, own, p_.columns, y);
  }

  double* kernel(index i) const { return h_.kernel + i * p_.columns; }
  double* u(index k) const { return h_.of_rows + k * p_.rows; }
  double* v(index k) const { return h_.of_columns + k * p_.columns; }
  double* row_sums(index k) const { return h_.row_sums + k * p_.rows; }
  double* column_sums(index k) const { return h_.column_sums + k * p_.columns; }

  sinkhorn_problem const& p_;
  sinkhorn_history const& h_;
};

/// The same sweeps on potentials, P = exp((f⊕g − C)/ε), for costs so far apart, or an ε so small,
/// that K would underflow.
template <class Team>
class log_sweeps {
 public:
  log_sweeps(sinkhorn_problem const& problem, sinkhorn_history const& history)
      : p_(problem), h_(history), per_epsilon_(1 / problem.epsilon) {}

  void run() const {
    std::fill_n(g(0), p_.columns, 0.);
    if (p_.start != nullptr) std::copy_n(p_.start, p_.columns, g(0));
    double* const sums = h_.spare;
    for (index k = 0; k < p_.sweeps; ++k) {
      rows(g(k), f(k), sums);
      columns(g(k), f(k), sums, g(k + 1));
    }
  }

  double row_potential(index i) const { return f(p_.sweeps - 1)[i]; }
  double column_potential(index j) const { return g(p_.sweeps)[j]; }

  /// After pull_back: how L changes with a row's, or a column's, mass through all sweeps.
  double row_mass_slope(index i) const {
    double sum = 0;
    for (index k = 0; k < p_.sweeps; ++k) sum += row_sums(k)[i];
    return p_.epsilon * sum;
  }
  double column_mass_slope(index j) const {
    double sum = 0;
    for (index k = 0; k < p_.sweeps; ++k) sum += column_sums(k)[j];
    return p_.epsilon * sum;
  }
  /// Σ_j g_j ∂L/∂g_j of where the sweeps begin: the plan hangs on C/ε and g/ε alone.
  double start_slope() const {
    double const* const of_g = h_.spare + p_.rows;
    double sum = 0;
    for (index j = 0; j < p_.columns; ++j) sum += g(0)[j] * of_g[j];
    return sum;
  }

  /// Row i of the plan.
  void plan(index i, double* out) const {
    plan_row<Team>(f(p_.sweeps - 1)[i], g(p_.sweeps), cost(i), per_epsilon_, p_.columns, out);
  }

  /// From G = ∂L/∂P to ∂L/∂C through every sweep, in place.
  void pull_back(double* bar) const {
    index const n = p_.rows, m = p_.columns;
    double* const of_f = h_.spare;
    double* const of_g = h_.spare + n;
    double* const e = of_g + m;
    double* const next = e + m;
    std::fill_n(of_g, m, 0.);
    for (index i = 0; i < n; ++i) {
      double* const row = bar + i * m;
      plan(i, e);
      for (index j = 0; j < m; ++j) e[j] *= row[j] * per_epsilon_;
      of_f[i] = 0;
      for (index j = 0; j < m; ++j) {
        of_f[i] += e[j];
        of_g[j] += e[j];
        row[j] = -e[j];
      }
    }
    for (index k = p_.sweeps - 1; k >= 0; --k) {
      std::fill_n(next, m, 0.);
      for (index j = 0; j < m; ++j) column_sums(k)[j] = of_g[j] / p_.column_mass[j];
      for (index i = 0; i < n; ++i) {
        double* const row = bar + i * m;
        // what the columns' step took of this row
        plan_row<Team>(f(k)[i], g(k + 1), cost(i), per_epsilon_, m, e);
        double own = of_f[i];
        for (index j = 0; j < m; ++j) {
          double const part = e[j] * column_sums(k)[j];
          row[j] += part;
          own -= part;
        }
        // and what its own step took of the columns
        plan_row<Team>(f(k)[i], g(k), cost(i), per_epsilon_, m, e);
        own /= p_.row_mass[i];
        row_sums(k)[i] = own;
        add_multiple_row<Team>(own, e, row, m);
        add_multiple_row<Team>(-own, e, next, m);
        of_f[i] = 0;
      }
      std::copy_n(next, m, of_g);
    }
  }

 private:
  /// The rows' half: f, which gives every row its mass, and what each column then has.
  void rows(double const* g, double* f, double* sums) const {
    index const m = p_.columns;
    double* const e = h_.spare + m;
    std::fill_n(sums, m, 0.);
    for (index i = 0; i < p_.rows; ++i) {
      auto const row = exponentials_row<Team>(g, cost(i), per_epsilon_, m, e);
      f[i] = p_.epsilon * (std::log(p_.row_mass[i]) - row.largest - std::log(row.sum));
      add_multiple_row<Team>(p_.row_mass[i] / row.sum, e, sums, m);
    }
  }
  /// The columns' half, from what they have: potentials that give every column its mass.
  void columns(double const* before, double const* f, double const* sums, double* after) const {
    for (index j = 0; j < p_.columns; ++j) {
      double const log_b = std::log(p_.column_mass[j]);
      // a column that no row gave anything to
      bool const lost = !(sums[j] > 1e-280);
      after[j] = lost ? p_.epsilon * (log_b - column_log_sum(f, j))
                      : before[j] + p_.epsilon * (log_b - std::log(sums[j]));
    }
  }
  /// log Σ_i exp((f_i − C_ij)/ε).
  double column_log_sum(double const* f, index j) const {
    auto const of = [&](index i) { return (f[i] - cost(i)[j]) * per_epsilon_; };
    double largest = of(0);
    for (index i = 1; i < p_.rows; ++i) largest = std::max(largest, of(i));
    double sum = 0;
    for (index i = 0; i < p_.rows; ++i) sum += std::exp(of(i) - largest);
    return largest + std::log(sum);
  }
  double const* cost(index i) const { return p_.cost + i * p_.columns; }
  double* f(index k) const { return h_.of_rows + k * p_.rows; }
  double* g(index k) const { return h_.of_columns + k * p_.columns; }
  double* row_sums(index k) const { return h_.row_sums + k * p_.rows; }
  double* column_sums(index k) const { return h_.column_sums + k * p_.columns; }

  sinkhorn_problem const& p_;
  sinkhorn_history const& h_;
  double per_epsilon_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
