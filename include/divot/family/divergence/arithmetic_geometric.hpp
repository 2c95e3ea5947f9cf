// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

namespace divot {

/// Arithmetic–geometric mean divergence, f(u) = ½(u + 1) ln((u + 1)/(2√u)).
///
///   D(p, q) = ½ Σ_k (p_k + q_k) ln((p_k + q_k)/(2 √(p_k q_k)))
///           = ½ KL(m‖p) + ½ KL(m‖q),  m = (p + q)/2
///
/// Limits    p_k = 0 < q_k and q_k = 0 < p_k give +inf; both 0 add 0
/// Range     [0, ∞)
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = ½q ln cosh(½ ln(p/q)) − ¼(p − q)
/// Ref       Taneja (1995), in Advances in Imaging and Electron Physics 91, 37–135
struct arithmetic_geometric {};

inline namespace DIVOT_ABI {

struct bound_arithmetic_geometric {
  static constexpr bool needs_logs = false;
  static constexpr bool needs_relative = true;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() {
    return {unbounded, unbounded, 0, unbounded, -.25, -unbounded};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    // ω = −¼ell + ½ln((1 + u)/2) − ¼(u − 1); the first is the anchor's business
    constexpr double at_zero = 0.25 - 0.5 * 0.69314718055994530942;
    V const gauge = row_gauge(anchor);
    auto const near = is_near(x.ell);
    V const quarter = constant<V>(.25), half = constant<V>(.5);
    V const log_cosh = math::log_cosh(V(half * x.ell));
    V const near_omega = math::fma(half, log_cosh,
                                   math::fnma(V(quarter * (x.ell * x.ell)), math::expm1_tail(x.ell),
                                              V((gauge - V(1)) * constant<V>(at_zero))));
    auto const below = x.ell < V(0);
    V const small = math::select(below, x.p, x.q);
    V const large = math::max(math::select(below, x.q, x.p), smallest_normal<V>());
    V const grown = math::log1p_ratio(small, large) + math::max(x.ell, V(0));  // ln(1 + u)
    V const far_omega = math::fma(half, grown, V(gauge * constant<V>(at_zero)));
    V const far_w = math::fms(x.q, far_omega, V(quarter * x.p));
    V const w = math::select(near, V(x.q * near_omega), far_w);
    return {V((half * (x.p + x.q)) * log_cosh), math::fnma(V(quarter * x.q), x.relative, w)};
  }
  DIVOT_HD bound_arithmetic_geometric dual() const { return {}; }
};

inline bound_arithmetic_geometric bound_of(arithmetic_geometric const&) { return {}; }

struct arithmetic_geometric_generator {
  double at_zero = unbounded, slope_at_infinity = unbounded;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::log;
    using std::sqrt;
    return T((u + T(1)) / T(2) * log(T((u + T(1)) / (T(2) * sqrt(u)))));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::log;
    using std::sqrt;
    return T(log(T((u + T(1)) / (T(2) * sqrt(u)))) / T(2) + T(.25) - T(.25) / u);
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T((u * u + T(1)) / (T(4) * u * u * (u + T(1))));
  }
};
inline arithmetic_geometric_generator generator(arithmetic_geometric const&) { return {}; }

inline auto describe(arithmetic_geometric const&) {
  return description<arithmetic_geometric>{"arithmetic_geometric",
                                           "½ KL(m‖p) + ½ KL(m‖q), m = (p + q)/2"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
