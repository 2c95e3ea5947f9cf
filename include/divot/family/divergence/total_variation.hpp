// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

namespace divot {

/// Total variation distance, f(u) = ½|u − 1|.
///
///   TV(p, q) = ½ Σ_k |p_k − q_k|
///
/// Limits    p_k = 0 adds ½q_k; q_k = 0 adds ½p_k
/// Range     [0, 1] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = ½q·sgn(q − p), 0 at a tie
struct total_variation {};

inline namespace DIVOT_ABI {

struct bound_total_variation {
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return true; }  // the sign of a small ell
  static constexpr bool slopes_are_exact = true;
  static constexpr class_limits limits() { return {.5, 0, .5, .5, 0, -.5}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    auto const near = is_near(x.ell);
    V const difference =
        math::select(near, near_difference(x, math::expm1_tail(x.ell)), V(x.p - x.q));
    V const half_q = x.q * constant<V>(.5);
    V const sign = math::select(x.ell > V(0), V(-1), math::select(x.ell < V(0), V(1), V(0)));
    // centred ½q·sign; the far gauge takes ½q away, exactly
    return {V(constant<V>(.5) * math::abs(difference)), V(half_q * (sign + (gauge - V(1))))};
  }
  DIVOT_HD bound_total_variation dual() const { return {}; }
};

inline bound_total_variation bound_of(total_variation const&) { return {}; }

struct total_variation_generator {
  double at_zero = .5, slope_at_infinity = .5;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::abs;
    return T(abs(T(u - T(1))) / T(2));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    return u > T(1) ? T(.5) : u < T(1) ? T(-.5) : T(0);
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T(T(0) * u);
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    return t;
  }
};
inline total_variation_generator generator(total_variation const&) { return {}; }

inline auto describe(total_variation const&) {
  return description<total_variation>{"total_variation", "½ Σ |p − q|"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
