// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

namespace divot {

/// Squared Hellinger divergence, f(u) = (√u − 1)².
///
///   D(p, q) = Σ_k (√p_k − √q_k)²
///
/// Domain    p, q ≥ 0
/// Limits    p_k = 0 adds q_k; q_k = 0 adds p_k; both 0 add 0
/// Range     [0, 2] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −√(p q)
/// Ref       Liese and Vajda (2006), IEEE Trans. Inf. Theory 52(10), 4394–4412
struct squared_hellinger {};

inline namespace DIVOT_ABI {

struct bound_squared_hellinger {
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() { return {1, 0, 1, 1, 0, -unbounded}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    V const gauge = row_gauge(anchor);
    V const half = x.ell * constant<V>(.5);
    V const square = half * half;
    auto const near = square < constant<V>(near_bound * near_bound / 4);
    V const e = math::fma(square, math::expm1_tail(half), half);  // expm1(ell/2)
    V const q_e = x.q * e;
    V const near_w = math::fms(V(gauge - V(1)), x.q, q_e);
    // √(pq)·2^63 (2^511): one root, and no product of normal numbers leaves their range
    V const root = math::sqrt(V((x.p * constant<V>(single ? 0x1p126 : 0x1p1022)) * x.q));
    V const far_loss = math::fnma(root, constant<V>(single ? 0x1p-62 : 0x1p-510), x.p + x.q);
    V const far_w = math::fnma(root, constant<V>(single ? 0x1p-63 : 0x1p-511), gauge * x.q);
    return {math::select(near, V(q_e * e), far_loss), math::select(near, near_w, far_w)};
  }
  DIVOT_HD bound_squared_hellinger dual() const { return {}; }
};

inline bound_squared_hellinger bound_of(squared_hellinger const&) { return {}; }

struct squared_hellinger_generator {
  double at_zero = 1, slope_at_infinity = 1;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::sqrt;
    T const r = T(sqrt(u) - T(1));
    return T(r * r);
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::sqrt;
    return T(T(1) - T(1) / sqrt(u));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    using std::sqrt;
    return T(T(.5) / (u * sqrt(u)));
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    return T(t / (T(1) - t));
  }
};
inline squared_hellinger_generator generator(squared_hellinger const&) { return {}; }

inline auto describe(squared_hellinger const&) {
  return description<squared_hellinger>{"squared_hellinger", "Σ (√p − √q)²"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
