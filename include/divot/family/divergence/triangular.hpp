// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

namespace divot {

/// Triangular discrimination (Vincze–Le Cam, without the factor ½), f(u) = (u − 1)²/(u + 1).
///
///   D(p, q) = Σ_k (p_k − q_k)² / (p_k + q_k)
///
/// Limits    p_k = 0 adds q_k; q_k = 0 adds p_k; both 0 add 0
/// Range     [0, 2] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −4 q p²/(p + q)²
/// Ref       Topsøe (2000), IEEE Trans. Inf. Theory 46(4), 1602–1609
struct triangular {};

inline namespace DIVOT_ABI {

struct bound_triangular {
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() { return {1, 0, 1, 1, 0, -3}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    auto const near = is_near(x.ell);
    V const sum = math::max(V(x.p + x.q), smallest_normal<V>());
    V const difference =
        math::select(near, near_difference(x, math::expm1_tail(x.ell)), V(x.p - x.q));
    V const ratio = math::quotient(difference, sum);
    V const share = math::quotient(x.p, sum);
    // centred (q − p)(3p + q)q/(p + q)²
    V const near_w =
        math::fms(V(gauge - V(1)), x.q, V((x.q * ratio) * math::fma(V(2), share, V(1))));
    V const far_w = math::fma(gauge, x.q, V((V(-4) * x.q) * (share * share)));
    return {V(difference * ratio), math::select(near, near_w, far_w)};
  }
  DIVOT_HD bound_triangular dual() const { return {}; }
};

inline bound_triangular bound_of(triangular const&) { return {}; }

struct triangular_generator {
  double at_zero = 1, slope_at_infinity = 1;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    return T((u - T(1)) * (u - T(1)) / (u + T(1)));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    return T((u - T(1)) * (u + T(3)) / ((u + T(1)) * (u + T(1))));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    T const m = T(u + T(1));
    return T(T(8) / (m * m * m));
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    using std::sqrt;
    return T(T(4) - t - T(4) * sqrt(T(T(1) - t)));
  }
};
inline triangular_generator generator(triangular const&) { return {}; }

inline auto describe(triangular const&) {
  return description<triangular>{"triangular", "Σ (p − q)²/(p + q)", {}, "Vincze and Le Cam"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
