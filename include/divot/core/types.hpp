// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <cstddef>

namespace divot {

/// Rows, columns and strides, in elements; signed, 64 bits on every common platform.
using index = std::ptrdiff_t;

/// A matrix in somebody's memory: what every kernel reads and writes.
///
/// Element (i, j) stands at data[i * row_stride + j * col_stride]. Callers without Eigen types pass
/// this to the public functions directly.
template <class Storage>
struct matrix_ref {
  Storage* data = nullptr;
  index rows = 0;
  index cols = 0;
  index row_stride = 0;
  index col_stride = 1;

  constexpr matrix_ref() = default;
  /// A dense row-major matrix.
  constexpr matrix_ref(Storage* d, index r, index c) : data(d), rows(r), cols(c), row_stride(c) {}
  constexpr matrix_ref(Storage* d, index r, index c, index row_step, index col_step)
      : data(d), rows(r), cols(c), row_stride(row_step), col_stride(col_step) {}
};

/// 16-bit storage of which conversions know the bits; eigen/ says so of Eigen's types.
enum class sixteen_bits { none, half, bfloat16 };
template <class S>
inline constexpr sixteen_bits bits_of = sixteen_bits::none;

inline namespace DIVOT_ABI {

/// false, but not before a template is used: for overloads that are there to explain a mistake.
template <class...>
inline constexpr bool never = false;

template <class R>
DIVOT_HD inline bool is_finite_number(R const& x) {
  return x - x == R(0);
}

}  // namespace DIVOT_ABI
}  // namespace divot
