// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/sinkd_ground.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// The slope of one term, up to the cost's factor.
template <class V, class Ground>
DIVOT_INLINE V pulled_slope(Ground const& ground, V const& d) {
  return ground_slope(ground, d);
}
/// The sign is the difference times the type's largest power of two, cut off at ±1. Between numbers
/// next to the smallest it may be less, where the softmax's pullback multiplies it by one of them.
template <class V>
DIVOT_INLINE V pulled_slope(ground::l1, V const& d) {
  V const one(scalar_of<V>(1));
  V const huge = constant<V>(std::is_same_v<scalar_of<V>, float> ? 0x1p127 : 0x1p1023);
  return V(math::min(math::max(V(d * huge), V(-one)), one));
}

/// Σ_j w_j slope(x − y_j) on lanes V, the weights given as `weight`s; the value gets their total
/// Σ|w_j|. A team may have a faster one.
template <class V, class Ground>
struct slope_sum {
  using T = scalar_of<V>;
  using weight = T;

  /// A weight is given as w times the scale, which hangs on the total.
  static double scale_of(double) { return 1; }
  static weight weight_of(double w, double) { return static_cast<T>(w); }
  DIVOT_INLINE void add(Ground const& ground, weight const& w, V const& x, V const& y) {
    sum = math::fma(V(w), pulled_slope(ground, V(x - y)), sum);
  }
  DIVOT_INLINE V value(T) const { return sum; }

  V sum = V(T(0));
};

}  // namespace DIVOT_ABI
}  // namespace divot
