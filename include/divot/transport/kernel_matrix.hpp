// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/large_pages.hpp>
#include <divot/exec/row_blocks.hpp>
#include <divot/exec/teams.hpp>
#include <divot/row/kernel_rows.hpp>
#include <divot/team/tile.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// What a kernel is kept in: for one problem after the other, since memory of their own costs small
/// ones more than their sweeps and large ones as much as ten.
template <class T>
struct kernel_memory {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> kernel, turned;
  Eigen::Matrix<T, Eigen::Dynamic, 1> sums, products, factors;
};
/// Of one worker.
template <execution_policy Policy>
struct transport_memory {
  kernel_memory<float> in_float;
  kernel_memory<double> in_double;

  template <class T>
  kernel_memory<T>& of() {
    if constexpr (std::is_same_v<T, float>) {
      return in_float;
    } else {
      return in_double;
    }
  }
};

/// A kernel K in memory, and products with it from both sides. Who fills it writes its rows and
/// then calls `filled`.
///
/// Of most kernels some rows at a time serve K v and Kᵀu, read from memory once. A small one is
/// there a second time, turned round: so neither product adds up along a row, and no row waits for
/// a sum of its own.
template <class T, execution_policy Policy>
class kernel_matrix {
 public:
  using team = row_team<Policy, T>;
  using numbers = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  using rows_list = kernel_row_list<T const>;

  kernel_matrix(row_blocks<Policy> const& blocks, Eigen::Index rows, Eigen::Index columns,
                kernel_memory<T>& memory)
      : blocks_(blocks), rows_(rows), columns_(columns), step_(step_of(columns)), m_(memory) {
    if (m_.kernel.size() != rows * step_) {
      m_.kernel.resize(rows, step_);
      use_large_pages(m_.kernel.data(), static_cast<std::size_t>(m_.kernel.size()) * sizeof(T));
    }
    if (is_small()) {
      m_.turned.resize(columns, step_of(rows));
      m_.products.resize(padded(rows));
      m_.factors.resize(padded(rows));
      m_.sums.resize(columns);
    }
  }

  /// Vectors have so many numbers, those behind `count` being 0.
  static Eigen::Index padded(Eigen::Index count) {
    return (count + kernel_rows - 1) / kernel_rows * kernel_rows;
  }
  T* row(Eigen::Index i) { return m_.kernel.data() + i * step_; }
  /// Eight rows from i on, before `last`.
  rows_list rows(Eigen::Index i, Eigen::Index last) const {
    return rows_list(m_.kernel.data(), step_, i, last);
  }
  void filled() {
    if constexpr (team::width > 1) {
      if (!is_small()) return;
      constexpr index width = tile<T>::width;
      index const apart = m_.turned.cols();
      for (index i = 0; i < rows_; i += width) {
        for (index j = 0; j < columns_; j += width) {
          index const lines = std::min(width, rows_ - i), length = std::min(width, columns_ - j);
          tile<T>::turn({row(i) + j, step_, lines, length},
                        {m_.turned.data() + j * apart + i, apart, length, lines},
                        tile_write::store);
        }
      }
    }
  }

  /// Kᵀu into `sums`, with u from K v: factors(i, products, own) for eight rows from i on, 0 for
  /// rows that are not there. v: padded.
  template <class Factors>
  void there_and_back(T const* v, double* sums, Factors const& factors) {
    if constexpr (team::width > 1) {
      if (is_small()) return there_and_back_small(v, sums, factors);
    }
    blocks_.add_up(m_.sums, columns_, sums,
                   [&](Eigen::Index first, Eigen::Index last, int, T* partial) {
                     for (Eigen::Index i = first; i < last; i += kernel_rows) {
                       rows_list const some = rows(i, last);
                       typename team::row products[kernel_rows];
                       multiply_kernel_rows<team>(some, v, columns_, products);
                       T own[kernel_rows];
                       factors(i, products, own);
                       add_kernel_rows<team>(some, own, columns_, partial);
                     }
                   });
  }

 private:
  /// Both fit into the caches next to the processor.
  bool is_small() const {
    constexpr Eigen::Index most = 1 << 13, longest = 256;
    return team::width > 1 && rows_ * columns_ <= most && std::max(rows_, columns_) <= longest &&
           std::min(rows_, columns_) >= team::width;
  }
  /// How far apart rows begin: each on a cache line, and not all of them in the same lines of the
  /// first-level cache.
  static Eigen::Index step_of(Eigen::Index columns) {
    constexpr Eigen::Index line = 64 / sizeof(T), page = 4096 / sizeof(T);
    if (columns < 4 * line) return columns;
    Eigen::Index const whole = (columns + line - 1) / line * line;
    return whole % page == 0 ? whole + line : whole;
  }

  template <class Factors>
  void there_and_back_small(T const* v, double* sums, Factors const& factors) {
    multiply(m_.turned.data(), m_.turned.cols(), columns_, v, rows_, m_.products);
    m_.products.tail(m_.products.size() - rows_).setOnes();
    for (Eigen::Index i = 0; i < rows_; i += kernel_rows) {
      typename team::row products[kernel_rows];
      T own[kernel_rows];
      for (Eigen::Index k = 0; k < kernel_rows; ++k) {
        products[k] = static_cast<typename team::row>(m_.products(i + k));
      }
      factors(i, products, own);
      std::copy_n(own, kernel_rows, m_.factors.data() + i);
    }
    multiply(m_.kernel.data(), step_, rows_, m_.factors.data(), columns_, m_.sums);
    for (Eigen::Index j = 0; j < columns_; ++j) sums[j] = static_cast<double>(m_.sums(j));
  }
  static void multiply(T const* a, Eigen::Index step, Eigen::Index rows, T const* x,
                       Eigen::Index width, numbers& out) {
    multiply_small_kernel<team>(a, step, rows, x, width, out.data());
  }

  row_blocks<Policy> const& blocks_;
  Eigen::Index rows_, columns_, step_;
  kernel_memory<T>& m_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
