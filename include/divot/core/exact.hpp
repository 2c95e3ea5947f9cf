// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>

#include <cmath>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// An unevaluated sum of two numbers, the second smaller than half an ulp of the first.
template <class V>
struct two_words {
  V high, low;
};

/// What the difference d = a − b was rounded by, exactly, for finite a, b and d (Knuth's TwoSum).
template <class V>
DIVOT_INLINE V difference_error(V const& a, V const& b, V const& d) {
  V const bb = d - a;
  return V((a - (d - bb)) - (b + bb));
}
/// a − b exactly. In loops over lanes `difference_error` does without a struct, which compilers
/// keep in memory.
template <class V>
DIVOT_INLINE two_words<V> exact_difference(V const& a, V const& b) {
  V const d = a - b;
  return {d, difference_error(a, b, d)};
}

/// A row's number in two words as two lane words, which carry the row's precision.
template <class V, class R>
DIVOT_INLINE two_words<V> lane_words(R const& a, R const& b = R(0)) {
  if constexpr (std::is_same_v<V, R>) {
    V const high = a + b;
    return {high, V((a - high) + b)};
  } else if constexpr (!is_real<scalar_of<V>>) {
    return {constant<V>(a + b), V(0)};
  } else {
    using T = scalar_of<V>;
    T const high = static_cast<T>(a);
    return {V(high), V(static_cast<T>((a - static_cast<R>(high)) + b))};
  }
}

/// 1/t, with what the first word was rounded by in the second.
template <class V>
DIVOT_HD two_words<V> inverse_words(double t) {
  using T = scalar_of<V>;
  if constexpr (!is_real<T>) {
    return {constant<V>(1 / t), V(0)};
  } else {
    using wide = std::conditional_t<std::is_same_v<T, long double>, long double, double>;
    T const high = static_cast<T>(1 / static_cast<wide>(t));
    // 1 − t·high has no digits beyond the type: fused, it is exact
    wide const h = high, rest = std::fma(-h, static_cast<wide>(t), wide(1));
    return {V(high), V(static_cast<T>(rest * h))};
  }
}

/// a·b exactly, where no intermediate leaves the range; automatic differentiation scalars: to one
/// rounding. Without a fused multiply-add by Veltkamp's splitting and Dekker's product.
/// Ref  Dekker (1971), Numer. Math. 18, 224–242
template <class V>
DIVOT_INLINE two_words<V> exact_product(V const& a, V const& b) {
  V const p = a * b;
  if constexpr (lane_traits<V>::fused || !is_real<scalar_of<V>>) {
    return {p, math::fms(a, b, p)};
  } else {
    constexpr int half = (std::numeric_limits<scalar_of<V>>::digits + 1) / 2;
    V const splitter = constant<V>(static_cast<double>((1LL << half) + 1));
    V const as = a * splitter, bs = b * splitter;
    V const a_high = as - (as - a), b_high = bs - (bs - b);
    V const a_low = a - a_high, b_low = b - b_high;
    return {p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low};
  }
}

/// a − b to the digits of two words, whatever cancels.
template <class V>
DIVOT_HD two_words<V> difference(two_words<V> const& a, two_words<V> const& b) {
  auto const high = exact_difference(a.high, b.high), low = exact_difference(a.low, b.low);
  V const rest = high.low + low.high, sum = high.high + rest;
  V const last = V((high.high - sum) + rest) + low.low, total = sum + last;
  return {total, V((sum - total) + last)};
}

/// a·b to the digits of two words.
template <class V>
DIVOT_HD two_words<V> product(two_words<V> const& a, two_words<V> const& b) {
  auto const y = exact_product(a.high, b.high);
  V const low = y.low + (a.low * b.high + a.high * b.low);
  V const high = y.high + low;
  return {high, V((y.high - high) + low)};
}

}  // namespace DIVOT_ABI
}  // namespace divot
