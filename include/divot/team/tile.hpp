// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/team/xsimd_lanes.hpp>

#include <array>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// A square of numbers as wide as a pack, on its way between rows and columns.
///
/// Lines are read and written with `apart` numbers from one to the next; beyond `lines` and
/// `length` memory is not touched.
template <class T>
class tile {
 public:
  using lane = pack<T>;
  using traits = lane_traits<lane>;
  static constexpr index width = static_cast<index>(traits::size);

  DIVOT_INLINE void load(T const* x, index apart, index lines, index length) {
    std::uint32_t const here = first_lanes(length);
    if (lines >= width && length >= width) {
      for (index i = 0; i < width; ++i) line(i) = traits::load(x + i * apart);
    } else if (lines >= width) {
      for (index i = 0; i < width; ++i) line(i) = traits::load_some(x + i * apart, here, T(0));
    } else {
      for (index i = 0; i < width; ++i) {
        line(i) = i < lines ? traits::load_some(x + i * apart, here, T(0)) : lane(T(0));
      }
    }
  }
  DIVOT_INLINE void store(T* x, index apart, index lines, index length) const {
    std::uint32_t const here = first_lanes(length);
    if (lines >= width && length >= width) {
      for (index i = 0; i < width; ++i) traits::store(x + i * apart, line(i));
    } else if (lines >= width) {
      for (index i = 0; i < width; ++i) traits::store_some(x + i * apart, here, line(i));
    } else {
      for (index i = 0; i < width && i < lines; ++i) {
        traits::store_some(x + i * apart, here, line(i));
      }
    }
  }
  /// The same past the caches.
  DIVOT_INLINE void stream(T* x, index apart, index lines, index length) const {
    bool const whole = lines >= width && length >= width;
    if (!whole || !traits::is_aligned(x) || apart % width != 0)
      return store(x, apart, lines, length);
    for (index i = 0; i < width; ++i) traits::stream(x + i * apart, line(i));
  }
  /// Adds what is in memory there.
  DIVOT_INLINE void add(T const* x, index apart, index lines, index length) {
    std::uint32_t const here = first_lanes(length);
    for (index i = 0; i < width && i < lines; ++i) {
      line(i) = line(i) + traits::load_some(x + i * apart, here, T(0));
    }
  }
  /// log₂(width) perfect shuffles.
  DIVOT_INLINE void transpose() {
    for (index step = 1; step < width; step *= 2) {
      std::array<lane, traits::size> next;
      for (std::size_t i = 0; i < traits::size / 2; ++i) {
        next[2 * i] = zip<0>(lines_[i], lines_[i + traits::size / 2], every_lane);
        next[2 * i + 1] = zip<1>(lines_[i], lines_[i + traits::size / 2], every_lane);
      }
      lines_ = next;
    }
  }
  DIVOT_INLINE lane& line(index i) { return lines_[static_cast<std::size_t>(i)]; }
  DIVOT_INLINE lane const& line(index i) const { return lines_[static_cast<std::size_t>(i)]; }

 private:
  static constexpr std::make_index_sequence<traits::size> every_lane{};

  static DIVOT_INLINE std::uint32_t first_lanes(index length) {
    return length >= width ? ~std::uint32_t(0) : (std::uint32_t(1) << length) - 1;
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

  std::array<lane, traits::size> lines_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
