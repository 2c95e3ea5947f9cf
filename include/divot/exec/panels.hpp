// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/operand.hpp>
#include <divot/team/convert.hpp>
#include <divot/team/tile.hpp>

#include <algorithm>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Whether tiles of T carry a matrix of this storage.
template <class T, class Operand>
inline constexpr bool has_tiles = false;
template <class T>
inline constexpr bool has_tiles<T, strided_source<T, T>> =
    std::is_same_v<T, float> || std::is_same_v<T, double>;
template <class T>
inline constexpr bool has_tiles<T, strided_target<T, T>> =
    std::is_same_v<T, float> || std::is_same_v<T, double>;

/// Whether `widen` and `narrow` know the storage.
template <class T, class Operand>
inline constexpr bool is_converted = false;
template <class S>
inline constexpr bool is_converted<float, strided_source<float, S>> =
    bits_of<S> != sixteen_bits::none;
template <class S>
inline constexpr bool is_converted<float, strided_target<float, S>> =
    bits_of<S> != sixteen_bits::none;

/// Walks rows × columns in tiles, down the columns first: body(first row, rows, first column,
/// columns).
template <class T, class Body>
DIVOT_INLINE void each_tile(index rows, index cols, Body const& body) {
  constexpr index w = tile<T>::width;
  for (index k = 0; k < cols; k += w) {
    for (index i = 0; i < rows; i += w) {
      body(i, std::min(w, rows - i), k, std::min(w, cols - k));
    }
  }
}

/// Rows first … first + count of a source, copied to `out`, `step` apart. Those of a column-major
/// matrix go through tiles, so that every line of memory is read once and whole.
template <class T, class Source>
void read_panel(Source const& source, index first, index count, index classes, T* out, index step) {
  if constexpr (has_tiles<T, Source>) {
    matrix_ref<T const> const m = source.view();
    if (m.row_stride == 1 && count > 1) {
      constexpr index ahead = 2 * tile<T>::width;
      each_tile<T>(count, classes, [&](index i, index rows, index k, index cols) {
        T const* const from = m.data + first + i + k * m.col_stride;
        if (k + ahead + cols <= classes) {
          for (index c = 0; c < cols; ++c)
            __builtin_prefetch(from + (ahead + c) * m.col_stride, 0, 2);
        }
        tile<T>::turn({from, m.col_stride, cols, rows}, {out + i * step + k, step, rows, cols},
                      tile_write::store);
      });
      return;
    }
  } else if constexpr (is_converted<T, Source>) {
    auto const& m = source.view();
    if (m.col_stride == 1) {
      for (index i = 0; i < count; ++i) {
        widen(m.data + (first + i) * m.row_stride, out + i * step, classes);
      }
      return;
    }
  }
  source.read(first, count, classes, out, step);
}

/// The way back, into a target; `add` adds to what it holds. Large targets are written past the
/// caches: each column's lines lie on pages of their own, and reading them first costs most.
template <class T, class Target>
void write_panel(Target const& target, index first, index count, index classes, T const* in,
                 index step, bool add) {
  if constexpr (has_tiles<T, Target>) {
    matrix_ref<T> const m = target.view();
    if (m.row_stride == 1 && count > 1) {
      constexpr index ahead = tile<T>::width;
      bool const stream = target.is_large() && !add;
      tile_write const how = add      ? tile_write::add
                             : stream ? tile_write::stream
                                      : tile_write::store;
      each_tile<T>(count, classes, [&](index i, index rows, index k, index cols) {
        T* const to = m.data + first + i + k * m.col_stride;
        if (!stream && k + ahead + cols <= classes) {
          for (index c = 0; c < cols; ++c) __builtin_prefetch(to + (ahead + c) * m.col_stride, 1);
        }
        tile<T>::turn({in + i * step + k, step, rows, cols}, {to, m.col_stride, cols, rows}, how);
      });
      if (stream) tile<T>::traits::settle_streams();
      return;
    }
  }
  if constexpr (is_converted<T, Target>) {
    auto const& m = target.view();
    if (m.col_stride == 1 && !add) {
      for (index i = 0; i < count; ++i) {
        narrow(in + i * step, m.data + (first + i) * m.row_stride, classes);
      }
      return;
    }
  }
  for (index i = 0; i < count; ++i) target.write(first + i, classes, in + i * step, 1, add);
}

/// Rows first … first + count, each into a lane of its own: class k of all of them at out[k·width].
/// `out` has room for classes up to a multiple of the width.
template <class T>
void rows_to_lanes(matrix_ref<T const> const& m, index first, index count, index classes, T* out) {
  constexpr index w = tile<T>::width;
  each_tile<T>(count, classes, [&](index, index rows, index k, index cols) {
    tile<T>::turn({m.data + first * m.row_stride + k, m.row_stride, rows, cols},
                  {out + k * w, w, w, w}, tile_write::store);
  });
}
/// The way back; `in` has as much room.
template <class T>
void lanes_to_rows(matrix_ref<T> const& m, index first, index count, index classes, T const* in,
                   bool add) {
  constexpr index w = tile<T>::width;
  each_tile<T>(count, classes, [&](index, index rows, index k, index cols) {
    tile<T>::turn({in + k * w, w, w, w},
                  {m.data + first * m.row_stride + k, m.row_stride, rows, cols},
                  add ? tile_write::add : tile_write::store);
  });
}

}  // namespace DIVOT_ABI
}  // namespace divot
