// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

namespace divot {

/// Pearson's χ² divergence, f(u) = (u − 1)².
///
///   χ²(p‖q) = Σ_k (p_k − q_k)² / q_k
///
/// Limits    p_k = 0 adds q_k; q_k = 0 < p_k gives +inf
/// Range     [0, ∞)
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −p²/q
/// Ref       Pearson (1900), Phil. Mag. 50(302), 157–175
struct pearson {};

/// Neyman's χ² divergence, f(u) = (u − 1)²/u: Pearson's with its arguments exchanged.
///
///   χ²(q‖p) = Σ_k (p_k − q_k)² / p_k
///
/// Limits    q_k = 0 adds p_k; p_k = 0 < q_k gives +inf
/// Range     [0, ∞)
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = 2q²/p
struct neyman {};

inline namespace DIVOT_ABI {

struct bound_neyman;

/// p²/q, right where p, q or their ratio leave the type's range.
template <class V>
DIVOT_INLINE V square_over(class_point<V> const& x) {
  if constexpr (std::is_same_v<V, long double>) {
    return math::exp(V(x.log_p + x.ell));  // the widest type: nothing else would take it over
  } else {
    V const direct = x.p * (x.p / x.q);
    V const tiny = V(constant<V>(1e3) * smallest_normal<V>());
    auto const lost = (x.q < tiny) || (x.p < tiny);
    if (!math::any<V>(lost)) return direct;
    // (p e^{ell/2}) e^{ell/2}: no intermediate overflows before the result does
    V const half = math::exp(V(constant<V>(.5) * x.ell));
    return math::select(lost, V((x.p * half) * half), direct);
  }
}

struct bound_pearson {
  static constexpr bool needs_logs = false;
  static constexpr bool spans_range = true;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() { return {1, 0, 1, unbounded, -unbounded, -unbounded}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    auto const near = is_near(x.ell);
    V const tail = math::expm1_tail(x.ell);
    V const e = math::fma(V(x.ell * x.ell), tail, x.ell);
    V const q_e = x.q * e;
    V const near_w = math::fnma(q_e, V(V(2) + e), V((gauge - V(1)) * x.q));
    V const square = square_over(x);  // p²/q
    V const far_loss = (square - x.p) - (x.p - x.q);
    V const far_w = math::fms(gauge, x.q, square);
    return {math::select(near, V(q_e * e), far_loss), math::select(near, near_w, far_w)};
  }
  DIVOT_HD bound_neyman dual() const;
};

struct bound_neyman {
  static constexpr bool needs_logs = false;
  static constexpr bool spans_range = true;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() { return {unbounded, unbounded, 0, 1, 0, -2}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const&) const {
    auto const near = is_near(x.ell);
    V const back = -x.ell;
    V const e = math::fma(V(back * back), math::expm1_tail(back), back);  // expm1(−ell)
    V const square = square_over(x.swapped());                            // q²/p
    V const far_loss = (square - x.q) - (x.q - x.p);
    V const far_w = V(2) * (square - x.q);
    return {math::select(near, V(x.p * e * e), far_loss),
            math::select(near, V(V(2) * x.q * e), far_w)};
  }
  DIVOT_HD bound_pearson dual() const { return {}; }
};

DIVOT_HD inline bound_neyman bound_pearson::dual() const { return {}; }

inline bound_pearson bound_of(pearson const&) { return {}; }
inline bound_neyman bound_of(neyman const&) { return {}; }

struct pearson_generator {
  double at_zero = 1, slope_at_infinity = unbounded;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    return T((u - T(1)) * (u - T(1)));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    return T(T(2) * (u - T(1)));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T(T(2) + T(0) * u);
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    return T(t + t * t / T(4));
  }
};
struct neyman_generator {
  double at_zero = unbounded, slope_at_infinity = 1;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    return T((u - T(1)) * (u - T(1)) / u);
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    return T(T(1) - T(1) / (u * u));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T(T(2) / (u * u * u));
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    using std::sqrt;
    return T(T(2) - T(2) * sqrt(T(T(1) - t)));
  }
};
inline pearson_generator generator(pearson const&) { return {}; }
inline neyman_generator generator(neyman const&) { return {}; }

inline auto describe(pearson const&) {
  return description<pearson>{"pearson", "Σ (p − q)²/q", {}, "χ²"};
}
inline auto describe(neyman const&) { return description<neyman>{"neyman", "Σ (p − q)²/p"}; }

}  // namespace DIVOT_ABI
}  // namespace divot
