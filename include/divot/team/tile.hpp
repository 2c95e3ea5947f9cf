// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/team/xsimd_lanes.hpp>

#include <array>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// A rectangle of numbers in memory: `lines` of them, `apart` numbers from one to the next, each of
/// `length` numbers side by side.
template <class T>
struct tile_lines {
  T* data;
  index apart, lines, length;
};

enum class tile_write { store, add, stream };

/// Writes the columns of `from` as the lines of `to`: a square as wide as a pack at most. Lines and
/// numbers that `from` lacks count as 0; nothing beyond the rectangles is touched. `add` adds to
/// what is there, `stream` writes past the caches where lines fill vectors that are aligned.
template <class T>
class tile {
 public:
  using lane = pack<T>;
  using traits = lane_traits<lane>;
  static constexpr index width = static_cast<index>(traits::size);

  static DIVOT_NOINLINE void turn(tile_lines<T const> const& from, tile_lines<T> const& to,
                                  tile_write how) {
    if (from.lines < width) {
      turn_few(from, to, how);
      return;
    }
    square t;
    for (std::size_t i = 0; i < traits::size; ++i) {
      t[i] = line_of(from.data + static_cast<index>(i) * from.apart, from.length);
    }
    transpose(t);
    put(t, to, how);
  }

 private:
  using square = std::array<lane, traits::size>;
  static constexpr std::make_index_sequence<traits::size> every_lane{};

  static DIVOT_INLINE std::uint32_t first_lanes(index length) {
    return length >= width ? ~std::uint32_t(0) : (std::uint32_t(1) << length) - 1;
  }
  /// A line's numbers. With masks for registers a short one costs no more.
  static DIVOT_INLINE lane line_of(T const* line, index length) {
    constexpr bool has_masks = sizeof(lane) == 64;
    if (!has_masks && length >= width) return traits::load(line);
    return traits::load_some(line, first_lanes(length), T(0));
  }
  /// At the edge of a matrix: fewer lines than a square has.
  static DIVOT_COLD void turn_few(tile_lines<T const> const& from, tile_lines<T> const& to,
                                  tile_write how) {
    alignas(64) std::array<T, traits::size * traits::size> lines{};
    index const length = from.length < width ? from.length : width;
    for (index i = 0; i < from.lines; ++i) {
      for (index k = 0; k < length; ++k) {
        lines[static_cast<std::size_t>(i * width + k)] = from.data[i * from.apart + k];
      }
    }
    turn({lines.data(), width, width, width}, to, how);
  }
  static DIVOT_INLINE void put(square const& t, tile_lines<T> const& to, tile_write how) {
    bool const whole = to.lines >= width && to.length >= width;
    auto const line = [&](std::size_t i) { return to.data + static_cast<index>(i) * to.apart; };
    if (whole && how == tile_write::store) {
      for (std::size_t i = 0; i < traits::size; ++i) traits::store(line(i), t[i]);
    } else if (whole && how == tile_write::stream && traits::is_aligned(to.data) &&
               to.apart % width == 0) {
      for (std::size_t i = 0; i < traits::size; ++i) traits::stream(line(i), t[i]);
    } else {
      put_some(t, to, how == tile_write::add);
    }
  }
  static DIVOT_INLINE void put_some(square const& t, tile_lines<T> const& to, bool add) {
    std::uint32_t const here = first_lanes(to.length);
    for (std::size_t i = 0; i < traits::size; ++i) {
      if (static_cast<index>(i) >= to.lines) return;
      T* const line = to.data + static_cast<index>(i) * to.apart;
      lane const x = add ? lane(t[i] + traits::load_some(line, here, T(0))) : t[i];
      traits::store_some(line, here, x);
    }
  }
  /// log₂(width) perfect shuffles.
  static DIVOT_INLINE void transpose(square& t) {
    for (index step = 1; step < width; step *= 2) {
      square next;
      for (std::size_t i = 0; i < traits::size / 2; ++i) {
        next[2 * i] = zip<0>(t[i], t[i + traits::size / 2], every_lane);
        next[2 * i + 1] = zip<1>(t[i], t[i + traits::size / 2], every_lane);
      }
      t = next;
    }
  }
  /// The lower (Half = 0) or upper halves of a and b, their lanes alternating.
  template <int Half, std::size_t... I>
  static DIVOT_INLINE lane zip(lane const& a, lane const& b, std::index_sequence<I...>) {
    using numbers = typename lane::register_type;
    constexpr int n = static_cast<int>(traits::size);
    numbers const x = a, y = b;
    return lane(numbers(__builtin_shufflevector(
        x, y, (Half * n / 2 + static_cast<int>(I) / 2 + (I % 2 == 0 ? 0 : n))...)));
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
