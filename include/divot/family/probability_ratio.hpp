// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/power.hpp>
#include <divot/family/class_point.hpp>

#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// sgn(ell) on lanes, 0 at 0.
template <class V>
DIVOT_INLINE V sign_of(V const& ell) {
  return math::select(ell > V(0), V(1), math::select(ell < V(0), V(-1), V(0)));
}

/// smaller/larger of p and q, and whether the smaller has lost digits to the type's range.
template <class V>
DIVOT_INLINE std::pair<V, mask_of<V>> ratio_of_probabilities(class_point<V> const& x) {
  V const smaller = math::min(x.p, x.q), larger = math::max(x.p, x.q);
  return {math::quotient(smaller, math::max(larger, smallest_normal<V>())),
          smaller < V(constant<V>(1e3) * smallest_normal<V>())};
}

/// smaller/larger of p and q, at least the smallest normal number: where ell is small from ell.
template <class V>
DIVOT_INLINE V smaller_over_larger(class_point<V> const& x) {
  V const size = math::abs(x.ell), by_ell = math::exp(V(-size));
  V u = by_ell;
  if constexpr (!std::is_same_v<V, long double>) {
    auto const [by_ratio, lost] = ratio_of_probabilities(x);
    u = math::select(size < V(4) || lost, by_ell, by_ratio);
  }
  return math::max(u, smallest_normal<V>());
}

/// |p/q − 1|: by ell where near, else from p and q, in the widest type from ell alone.
template <class V>
DIVOT_INLINE V relative_distance(class_point<V> const& x) {
  V const near = math::fma(V(x.ell * x.ell), math::expm1_tail(x.ell), x.ell);
  V far;
  if constexpr (std::is_same_v<V, long double>) {
    far = math::expm1(x.ell);
  } else {
    far = (x.p - x.q) / math::max(x.q, smallest_normal<V>());
  }
  return math::abs(math::select(is_near(x.ell), near, far));
}

/// (smaller/larger)^a of p and q, given −a|ell|.
///
/// For a < 1 from the probabilities, where they have digits that a large ell has lost; where one
/// has none left, and for larger a, whose power is tiny by then, from ell.
template <class V>
DIVOT_INLINE V smaller_over_larger(class_point<V> const& x, exponent const& a, V const& log_power) {
  if constexpr (std::is_same_v<V, long double>) {
    return math::exp(log_power);
  } else {
    if (a.wide > 1) return math::exp(log_power);
    auto const [ratio, lost] = ratio_of_probabilities(x);
    V const by_ratio = math::power(ratio, a);
    if (!math::any<V>(lost)) return by_ratio;
    return math::select(lost, math::exp(log_power), by_ratio);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
