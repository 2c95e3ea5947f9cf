// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// Yes or no for each of N lanes.
template <std::size_t N>
struct lane_flags {
  bool each[N];

  lane_flags() = default;
  DIVOT_INLINE lane_flags(bool one) {
    for (std::size_t i = 0; i < N; ++i) each[i] = one;
  }
  friend DIVOT_INLINE lane_flags operator&(lane_flags a, lane_flags const& b) {
    for (std::size_t i = 0; i < N; ++i) a.each[i] = a.each[i] && b.each[i];
    return a;
  }
  friend DIVOT_INLINE lane_flags operator|(lane_flags a, lane_flags const& b) {
    for (std::size_t i = 0; i < N; ++i) a.each[i] = a.each[i] || b.each[i];
    return a;
  }
  friend DIVOT_INLINE lane_flags operator&&(lane_flags const& a, lane_flags const& b) {
    return a & b;
  }
  friend DIVOT_INLINE lane_flags operator||(lane_flags const& a, lane_flags const& b) {
    return a | b;
  }
  friend DIVOT_INLINE lane_flags operator!(lane_flags a) {
    for (std::size_t i = 0; i < N; ++i) a.each[i] = !a.each[i];
    return a;
  }
};

/// N neighbours in plain C++: what one thread of a device works on, in as many bytes as it loads at
/// once. The host knows it too, which is how a device's row functions are tested without one.
template <class T, std::size_t N>
struct lanes {
  T each[N];

  lanes() = default;
  DIVOT_INLINE lanes(T one) {
    for (std::size_t i = 0; i < N; ++i) each[i] = one;
  }

#define DIVOT_LANES_ARITHMETIC(op)                                          \
  friend DIVOT_INLINE lanes operator op(lanes a, lanes const& b) {          \
    for (std::size_t i = 0; i < N; ++i) a.each[i] = a.each[i] op b.each[i]; \
    return a;                                                               \
  }                                                                         \
  DIVOT_INLINE lanes& operator op##=(lanes const& b) { return *this = *this op b; }
  DIVOT_LANES_ARITHMETIC(+)
  DIVOT_LANES_ARITHMETIC(-)
  DIVOT_LANES_ARITHMETIC(*)
  DIVOT_LANES_ARITHMETIC(/)
#undef DIVOT_LANES_ARITHMETIC

#define DIVOT_LANES_COMPARISON(op)                                                \
  friend DIVOT_INLINE lane_flags<N> operator op(lanes const& a, lanes const& b) { \
    lane_flags<N> m;                                                              \
    for (std::size_t i = 0; i < N; ++i) m.each[i] = a.each[i] op b.each[i];       \
    return m;                                                                     \
  }
  DIVOT_LANES_COMPARISON(==)
  DIVOT_LANES_COMPARISON(!=)
  DIVOT_LANES_COMPARISON(<)
  DIVOT_LANES_COMPARISON(<=)
  DIVOT_LANES_COMPARISON(>)
  DIVOT_LANES_COMPARISON(>=)
#undef DIVOT_LANES_COMPARISON

  friend DIVOT_INLINE lanes operator-(lanes a) {
    for (std::size_t i = 0; i < N; ++i) a.each[i] = -a.each[i];
    return a;
  }
};

template <class T, std::size_t N>
struct lane_traits<lanes<T, N>> {
  using V = lanes<T, N>;
  using scalar = T;
  using mask = lane_flags<N>;
  static constexpr std::size_t size = N;
  static constexpr bool is_pack = true;
  static constexpr bool fused = true;
  static constexpr bool single = std::is_same_v<T, float>;
  /// No table: a device looks things up in memory.
  static constexpr int step_bits = 0;
  static constexpr T rounder = single ? T(12582912.) : T(6755399441055744.);
  static constexpr T step_rounder = rounder;

  static DIVOT_INLINE V select(mask const& m, V const& a, V const& b) {
    return of([&](std::size_t i) DIVOT_LAMBDA_INLINE { return m.each[i] ? a.each[i] : b.each[i]; });
  }
  static DIVOT_INLINE mask opposite(mask const& m) { return !m; }
  static DIVOT_INLINE bool any(mask const& m) {
    bool found = false;
    for (std::size_t i = 0; i < N; ++i) found = found || m.each[i];
    return found;
  }
  static DIVOT_INLINE bool all(mask const& m) {
    bool each = true;
    for (std::size_t i = 0; i < N; ++i) each = each && m.each[i];
    return each;
  }
  static DIVOT_INLINE V fma(V const& a, V const& b, V const& c) {
    return of([&](std::size_t i)
                  DIVOT_LAMBDA_INLINE { return std::fma(a.each[i], b.each[i], c.each[i]); });
  }
  static DIVOT_INLINE V fms(V const& a, V const& b, V const& c) { return fma(a, b, -c); }
  static DIVOT_INLINE V fnma(V const& a, V const& b, V const& c) { return fma(-a, b, c); }
  static DIVOT_INLINE V quotient(V const& a, V const& b) { return a / b; }
  static DIVOT_INLINE V abs(V const& x) {
    return of([&](std::size_t i) DIVOT_LAMBDA_INLINE { return std::fabs(x.each[i]); });
  }
  // a NaN in b is passed on
  static DIVOT_INLINE V max(V const& a, V const& b) {
    return of([&](std::size_t i)
                  DIVOT_LAMBDA_INLINE { return a.each[i] > b.each[i] ? a.each[i] : b.each[i]; });
  }
  static DIVOT_INLINE V min(V const& a, V const& b) {
    return of([&](std::size_t i)
                  DIVOT_LAMBDA_INLINE { return a.each[i] < b.each[i] ? a.each[i] : b.each[i]; });
  }
  static DIVOT_INLINE V sqrt(V const& x) {
    return of([&](std::size_t i) DIVOT_LAMBDA_INLINE { return std::sqrt(x.each[i]); });
  }

  /// The nearest integer, for |x| < 2^22 (float) or 2^51 (double).
  static DIVOT_INLINE V round(V const& x) { return (x + V(rounder)) - V(rounder); }
  /// 2^n for n = rounded − step_rounder within the range of normal numbers.
  static DIVOT_INLINE V step_power(V const& rounded) {
    return of([&](std::size_t i) DIVOT_LAMBDA_INLINE {
      return from_bits((to_bits(rounded.each[i]) << mantissa) + one);
    });
  }
  /// Of a table's entry: there is none.
  static DIVOT_INLINE V step_rest(V const&) { return V(T(0)); }
  static DIVOT_INLINE V raised_step(V const& rounded) {
    return max(V(step_rounder - (single ? T(127) : T(1023))), rounded);
  }
  static DIVOT_INLINE V lower_step(V const& a, V const& b) { return min(a, b); }
  /// x·2^n for an integer n, right through gradual underflow and overflow.
  static DIVOT_INLINE V scale2(V const& x, V const& n) {
    V const half = round(n * V(T(.5)));
    return (x * power_of_two(half)) * power_of_two(n - half);
  }
  /// a·b + b, and 0 in the lanes where `gone`.
  static DIVOT_INLINE V grown_unless(mask const& gone, V const& a, V const& b) {
    return select(gone, V(T(0)), fma(a, b, b));
  }
  /// x = mantissa·2^exponent with the mantissa in [√½, √2), for x > 0, subnormal too.
  static DIVOT_INLINE std::pair<V, V> split(V const& x) {
    V m, n;
    for (std::size_t i = 0; i < N; ++i) {
      bool const tiny = x.each[i] < std::numeric_limits<T>::min();
      T const lift = single ? T(16777216.) : T(18014398509481984.);
      auto const b = to_bits(tiny ? x.each[i] * lift : x.each[i]);
      T const mantissa_1_2 = from_bits((b & fraction) | one);
      bool const upper = mantissa_1_2 >= T(1.4142135623730950488);
      auto const exponent = static_cast<int>(b >> mantissa) - (single ? 127 : 1023) +
                            (upper ? 1 : 0) - (tiny ? (single ? 24 : 54) : 0);
      m.each[i] = upper ? mantissa_1_2 * T(.5) : mantissa_1_2;
      n.each[i] = static_cast<T>(exponent);
    }
    return {m, n};
  }

 private:
  using bits = std::conditional_t<single, std::uint32_t, std::uint64_t>;
  static constexpr int mantissa = single ? 23 : 52;
  static constexpr bits one = bits(single ? 127 : 1023) << mantissa;
  static constexpr bits fraction = (bits(1) << mantissa) - 1;

  static DIVOT_INLINE bits to_bits(T x) { return std::bit_cast<bits>(x); }
  static DIVOT_INLINE T from_bits(bits x) { return std::bit_cast<T>(x); }
  template <class F>
  static DIVOT_INLINE V of(F const& f) {
    V x;
    for (std::size_t i = 0; i < N; ++i) x.each[i] = f(i);
    return x;
  }
  /// 2^n for an integer n within the exponent range; 0 at n = −127 (float) and −1023 (double).
  static DIVOT_INLINE V power_of_two(V const& n) {
    V const shifted = n + V(rounder + (single ? T(127) : T(1023)));
    return of([&](std::size_t i)
                  DIVOT_LAMBDA_INLINE { return from_bits(to_bits(shifted.each[i]) << mantissa); });
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
