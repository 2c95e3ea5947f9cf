// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/team/xsimd_lanes.hpp>

#include <cstddef>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// A pack's lanes as one number, by halves: log₂(width) steps, and the same ones on every machine.
template <class T>
class reduce {
 public:
  using lane = pack<T>;
  using traits = lane_traits<lane>;

  static DIVOT_INLINE T largest(lane const& x) {
    return first(halved<width / 2>(
        x, [](lane const& a, lane const& b) DIVOT_LAMBDA_INLINE { return traits::max(a, b); }));
  }
  static DIVOT_INLINE T smallest(lane const& x) {
    return first(halved<width / 2>(
        x, [](lane const& a, lane const& b) DIVOT_LAMBDA_INLINE { return traits::min(a, b); }));
  }
  /// The sum, in double.
  static DIVOT_INLINE double sum(lane const& x) {
    return sum_of(register_type(x), std::make_index_sequence<width>());
  }

  /// The sums of eight packs, in double. They are added to each other by halves first, two packs in
  /// the place of one: a fourth of the steps that eight sums take.
  static DIVOT_INLINE void sums(lane const (&x)[8], double (&out)[8]) {
    register_type folded[8];
    for (std::size_t i = 0; i < 8; ++i) folded[i] = x[i];
    sums_of<8, width>(folded, out);
  }

 private:
  using register_type = typename lane::register_type;
  static constexpr std::size_t width = traits::size;

  /// Count packs, each of which has `Span` lanes a sum.
  template <std::size_t Count, std::size_t Span>
  static DIVOT_INLINE void sums_of(register_type (&x)[8], double (&out)[8]) {
    constexpr auto lanes = std::make_index_sequence<width>();
    if constexpr (Count > 1 && Span > 1) {
      for (std::size_t i = 0; i < Count / 2; ++i) {
        x[i] = pair<Span, 0>(x[2 * i], x[2 * i + 1], lanes) +
               pair<Span, Span / 2>(x[2 * i], x[2 * i + 1], lanes);
      }
      sums_of<Count / 2, Span / 2>(x, out);
    } else {
      constexpr std::size_t each = 8 / Count;  // sums in a pack
      for (std::size_t i = 0; i < Count; ++i) {
        for (std::size_t k = 0; k < each; ++k) {
          double sum = 0;
          for (std::size_t j = 0; j < Span; ++j) sum += static_cast<double>(x[i][k * Span + j]);
          out[i * each + k] = sum;
        }
      }
    }
  }
  /// Of each sum of a, and then of b, half of the lanes.
  template <std::size_t Span, std::size_t From, std::size_t... I>
  static DIVOT_INLINE register_type pair(register_type const& a, register_type const& b,
                                         std::index_sequence<I...>) {
    return register_type(__builtin_shufflevector(
        a, b, static_cast<int>(I / (Span / 2) * Span + From + I % (Span / 2))...));
  }

  template <std::size_t Half, class Op>
  static DIVOT_INLINE lane halved(lane const& x, Op const& op) {
    if constexpr (Half == 0) {
      return x;
    } else {
      return halved<Half / 2>(op(x, moved<Half>(x, std::make_index_sequence<width>())), op);
    }
  }
  /// Lane i + Half in lane i.
  template <std::size_t Half, std::size_t... I>
  static DIVOT_INLINE lane moved(lane const& x, std::index_sequence<I...>) {
    register_type const r = x;
    return lane(
        register_type(__builtin_shufflevector(r, r, static_cast<int>((I + Half) % width)...)));
  }
  static DIVOT_INLINE T first(lane const& x) { return register_type(x)[0]; }

  template <class R, std::size_t... I>
  static DIVOT_INLINE double sum_of(R const& x, std::index_sequence<I...>) {
    if constexpr (sizeof...(I) == 1) {
      return static_cast<double>(x[0]);
    } else {
      return sum_halves(x, std::make_index_sequence<sizeof...(I) / 2>());
    }
  }
  template <class R, std::size_t... I>
  static DIVOT_INLINE double sum_halves(R const& x, std::index_sequence<I...> half) {
    typedef double wide __attribute__((vector_size(sizeof...(I) * sizeof(double))));
    constexpr int n = static_cast<int>(sizeof...(I));
    if constexpr (sizeof...(I) == 1) {
      return static_cast<double>(x[0]) + static_cast<double>(x[1]);
    } else {
      auto const low = __builtin_shufflevector(x, x, static_cast<int>(I)...);
      auto const high = __builtin_shufflevector(x, x, (static_cast<int>(I) + n)...);
      return sum_of(wide(__builtin_convertvector(low, wide) + __builtin_convertvector(high, wide)),
                    half);
    }
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
