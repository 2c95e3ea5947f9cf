// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// An unevaluated sum of two numbers, the second smaller than half an ulp of the first.
template <class V>
struct two_words {
  V high, low;
};

/// a − b exactly, for every finite a and b whose difference does not overflow (Knuth's TwoSum).
template <class V>
DIVOT_INLINE two_words<V> exact_difference(V const& a, V const& b) {
  V const d = a - b;
  V const bb = d - a;
  V const e = (a - (d - bb)) - (b + bb);
  return {d, e};
}

/// 1/t, with what the first word was rounded by in the second.
template <class V>
two_words<V> inverse_words(double t) {
  if constexpr (std::is_same_v<V, long double>) {
    return {1 / static_cast<long double>(t), 0};
  } else if constexpr (!is_real<scalar_of<V>>) {
    return {constant<V>(1 / t), V(0)};
  } else {
    V const high = constant<V>(1 / t);
    return {high, constant<V>(1 / t - static_cast<double>(static_cast<scalar_of<V>>(1 / t)))};
  }
}

/// a·b exactly where the lanes have a fused multiply-add; otherwise to one rounding.
template <class V>
DIVOT_INLINE two_words<V> exact_product(V const& a, V const& b) {
  V const p = a * b;
  return {p, math::fms(a, b, p)};
}

}  // namespace DIVOT_ABI
}  // namespace divot
