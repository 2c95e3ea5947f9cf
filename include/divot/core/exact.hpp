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

/// a·b exactly where the lanes have a fused multiply-add; otherwise to one rounding.
template <class V>
DIVOT_INLINE two_words<V> exact_product(V const& a, V const& b) {
  V const p = a * b;
  return {p, math::fms(a, b, p)};
}

}  // namespace DIVOT_ABI
}  // namespace divot
