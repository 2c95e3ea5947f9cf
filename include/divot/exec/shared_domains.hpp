// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/shared_sums.hpp>

#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// A matrix that threads of a group share, row after row and column after column, so that sums of
/// either kind read neighbours.
struct shared_matrix {
  index rows = 0, columns = 0;
  double *matrix = nullptr, *across = nullptr;  // rows × columns each
  double* sums = nullptr;                       // what shared_sums work in

  DIVOT_HD static index sums_room(index rows, index columns) {
    index const a = 2 * parts_of(rows) * columns, b = 2 * parts_of(columns) * rows;
    return a > b ? a : b;
  }
  /// Takes its arrays from next(how many numbers).
  template <class Next>
  DIVOT_HD void take(index n, index m, Next& next) {
    rows = n;
    columns = m;
    matrix = next(n * m);
    across = next(n * m);
    sums = next(sums_room(n, m));
  }
};

/// Hands out pieces of an array of numbers, or only counts where there is none.
class number_pieces {
 public:
  DIVOT_HD explicit number_pieces(double* memory) : memory_(memory) {}
  DIVOT_HD double* operator()(index count) {
    double* const begin = memory_ == nullptr ? nullptr : memory_ + taken_;
    taken_ += (count + 3) / 4 * 4;
    return begin;
  }
  DIVOT_HD index taken() const { return taken_; }

 private:
  double* memory_;
  index taken_ = 0;
};

/// Plans as x_i K_ij y_j with K = exp(−C/ε), which must not underflow; x and y are factors of rows
/// and columns.
template <class Group>
class shared_kernel {
 public:
  using sums = shared_sums<Group>;

  DIVOT_HD explicit shared_kernel(shared_matrix const& m) : m_(m), sums_(m.sums) {}

  /// K of cost(i, j).
  template <class Cost>
  DIVOT_HD void fill(double epsilon, Cost const& cost) const {
    sums::each_entry(m_.rows, m_.columns, [&](index i, index j) {
      double const k = std::exp(-cost(i, j) / epsilon);
      m_.matrix[i * m_.columns + j] = k;
      m_.across[j * m_.rows + i] = k;
    });
  }

  /// take(i, s) with s = Σ_j K_ij y_j, of which a factor x_i makes the mass x_i s.
  template <class Take>
  DIVOT_HD void sum_rows(double const* y, Take const& take) const {
    double const* const across = m_.across;
    index const n = m_.rows;
    sums_.add(
        m_.columns, n, [&](index j, index i) { return y[j] * across[j * n + i]; }, take);
  }
  /// take(j, s) with s = Σ_i x_i K_ij.
  template <class Take>
  DIVOT_HD void sum_columns(double const* x, Take const& take) const {
    double const* const matrix = m_.matrix;
    index const m = m_.columns;
    sums_.add(
        m_.rows, m, [&](index i, index j) { return x[i] * matrix[i * m + j]; }, take);
  }
  DIVOT_HD static double mass_of(double factor, double sum) { return factor * sum; }
  DIVOT_HD static double factor_of(double mass, double sum) { return mass / sum; }
  /// Over ε.
  DIVOT_HD static double potential_of(double factor) { return std::log(factor); }
  /// The factor of a column to begin with: none where there is no mass.
  DIVOT_HD static double first_of(double mass) { return mass > 0 ? 1 : 0; }
  /// A factor whose potential is larger by this, over ε.
  DIVOT_HD static double moved(double factor, double by) { return factor * std::exp(by); }

  DIVOT_HD double entry(double x, double y, index i, index j) const {
    return x * m_.matrix[i * m_.columns + j] * y;
  }
  /// The same, for neighbouring i.
  DIVOT_HD double entry_across(double x, double y, index i, index j) const {
    return x * m_.across[j * m_.rows + i] * y;
  }

 private:
  shared_matrix const& m_;
  sums sums_;
};

/// Plans as exp(x_i − C_ij/ε + y_j): factors are logarithms.
template <class Group>
class shared_logarithms {
 public:
  using sums = shared_sums<Group>;

  DIVOT_HD explicit shared_logarithms(shared_matrix const& m) : m_(m), sums_(m.sums) {}

  template <class Cost>
  DIVOT_HD void fill(double epsilon, Cost const& cost) const {
    sums::each_entry(m_.rows, m_.columns, [&](index i, index j) {
      double const x = -cost(i, j) / epsilon;
      m_.matrix[i * m_.columns + j] = x;
      m_.across[j * m_.rows + i] = x;
    });
  }

  template <class Take>
  DIVOT_HD void sum_rows(double const* y, Take const& take) const {
    double const* const across = m_.across;
    index const n = m_.rows;
    sums_.add_exponentials(
        m_.columns, n, [&](index j, index i) { return y[j] + across[j * n + i]; }, take);
  }
  template <class Take>
  DIVOT_HD void sum_columns(double const* x, Take const& take) const {
    double const* const matrix = m_.matrix;
    index const m = m_.columns;
    sums_.add_exponentials(
        m_.rows, m, [&](index i, index j) { return x[i] + matrix[i * m + j]; }, take);
  }
  DIVOT_HD static double mass_of(double factor, double sum) { return shared_exp(factor + sum); }
  DIVOT_HD static double factor_of(double mass, double sum) { return std::log(mass) - sum; }
  DIVOT_HD static double potential_of(double factor) { return factor; }
  DIVOT_HD static double first_of(double mass) {
    return mass > 0 ? 0 : -std::numeric_limits<double>::infinity();
  }
  DIVOT_HD static double moved(double factor, double by) { return factor + by; }

  DIVOT_HD double entry(double x, double y, index i, index j) const {
    return shared_exp(x + y + m_.matrix[i * m_.columns + j]);
  }
  DIVOT_HD double entry_across(double x, double y, index i, index j) const {
    return shared_exp(x + y + m_.across[j * m_.rows + i]);
  }

 private:
  shared_matrix const& m_;
  sums sums_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
