// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// The numbers that the benchmarks run on: one pool of normally distributed logits for each storage
// type, which every shape and layout is a view of.

#include <divot/core/types.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <memory>

namespace bench {

using divot::index;

/// Threads of the OpenMP benchmarks.
inline constexpr int threads = 2;

/// Entries of the largest problem, 128 × 151 936.
inline constexpr std::size_t pool_size = std::size_t{128} * 151936;

/// Numbers that begin on a cache line, as those of Eigen's large matrices do.
struct free_aligned {
  void operator()(void* p) const { Eigen::internal::aligned_free(p); }
};
template <class Storage>
using numbers = std::unique_ptr<Storage[], free_aligned>;
template <class Storage>
numbers<Storage> make_numbers(std::size_t count) {
  return numbers<Storage>(
      static_cast<Storage*>(Eigen::internal::aligned_malloc(count * sizeof(Storage))));
}

/// Teacher and student at a scale of 2, the student's original to restore it from, and a place for
/// gradients that are not in place.
template <class Storage>
struct pool {
  numbers<Storage> teacher, original, student, elsewhere;
  /// Puts the first `count` logits of the student back.
  void restore(std::size_t count);
};

/// Made at the first call; float and Eigen::bfloat16.
template <class Storage>
pool<Storage>& logits();

enum class layout { row_major, column_major };

template <class Storage>
divot::matrix_ref<Storage> view(Storage* data, index rows, index cols, layout how) {
  if (how == layout::row_major) return {data, rows, cols};
  return {data, rows, cols, 1, rows};
}

}  // namespace bench
