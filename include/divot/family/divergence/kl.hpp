// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

#include <algorithm>
#include <cmath>

namespace divot {

/// Kullback–Leibler divergence, f(u) = u ln u − u + 1.
///
///   KL(p‖q) = Σ_k p_k ln(p_k / q_k)
///
/// Domain    p, q ≥ 0
/// Limits    p_k = 0 adds q_k − q_k = 0 over the row (per class q_k); q_k = 0 < p_k gives +inf
/// Range     [0, ∞)
/// Gradient  with respect to logits: (q_k − p_k)/T
/// Ref       Kullback and Leibler (1951), Ann. Math. Statist. 22(1), 79–86
struct kl {};

/// Reverse Kullback–Leibler divergence, f(u) = u − 1 − ln u.
///
///   KL(q‖p) = Σ_k q_k ln(q_k / p_k)
///
/// Limits    q_k = 0 adds p_k; p_k = 0 < q_k gives +inf
/// Range     [0, ∞)
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −q ln(p/q)
struct reverse_kl {};

/// Jeffreys divergence (the symmetric "J-divergence"), f(u) = (u − 1) ln u.
///
///   J(p, q) = KL(p‖q) + KL(q‖p) = Σ_k (p_k − q_k) ln(p_k / q_k)
///
/// Range     [0, ∞)
/// Ref       Jeffreys (1946), Proc. R. Soc. A 186, 453–461
struct jeffreys {};

inline namespace DIVOT_ABI {

struct bound_reverse_kl;

struct bound_kl {
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() { return {1, 0, 1, unbounded, -1, -unbounded}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    auto const near = is_near(x.ell);
    V const tail = math::expm1_tail(x.ell);
    V const q_ell = x.q * x.ell;
    V const growth = math::fma(tail, x.ell, V(1));  // expm1(ell)/ell
    // u ln u − u + 1 = ell² (1 + tail·ell − tail) with u = e^ell
    V const near_loss = q_ell * x.ell * (growth - tail);
    V const near_w = math::fnma(q_ell, growth, V((gauge - V(1)) * x.q));
    V const far_loss = math::fma(x.p, x.ell, V(x.q - x.p));
    V const far_w = math::fms(gauge, x.q, x.p);
    return {math::select(near, near_loss, far_loss), math::select(near, near_w, far_w)};
  }
  DIVOT_HD bound_reverse_kl dual() const;
};

struct bound_reverse_kl {
  static constexpr bool needs_logs = false;
  static constexpr bool needs_relative = true;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() { return {unbounded, unbounded, 0, 1, 0, -unbounded}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const&) const {
    auto const near = is_near(x.ell);
    V const q_ell = x.q * x.ell;
    V const near_loss = q_ell * x.ell * math::expm1_tail(x.ell);
    V const far_loss = (x.p - x.q) - q_ell;
    return {math::select(near, near_loss, far_loss), V(-(x.q * x.relative))};
  }
  DIVOT_HD bound_kl dual() const { return {}; }
};

DIVOT_HD inline bound_reverse_kl bound_kl::dual() const { return {}; }

struct bound_jeffreys {
  static constexpr bool needs_logs = false;
  static constexpr bool needs_relative = true;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() {
    return {unbounded, unbounded, 0, unbounded, -1, -unbounded};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const&) const {
    auto const near = is_near(x.ell);
    V const difference =
        math::select(near, near_difference(x, math::expm1_tail(x.ell)), V(x.p - x.q));
    return {V(difference * x.ell), V(-difference - x.q * x.relative)};
  }
  DIVOT_HD bound_jeffreys dual() const { return {}; }
};

inline bound_kl bound_of(kl const&) { return {}; }
inline bound_reverse_kl bound_of(reverse_kl const&) { return {}; }
inline bound_jeffreys bound_of(jeffreys const&) { return {}; }

struct kl_generator {
  double at_zero = 1, slope_at_infinity = unbounded;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::log;
    return T(u * log(u) - u + T(1));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::log;
    return T(log(u));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T(T(1) / u);
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    using std::exp;
    return T(exp(t) - T(1));
  }
};
struct reverse_kl_generator {
  double at_zero = unbounded, slope_at_infinity = 1;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::log;
    return T(u - T(1) - log(u));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    return T(T(1) - T(1) / u);
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T(T(1) / (u * u));
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    using std::log;
    return T(-log(T(T(1) - t)));
  }
};
struct jeffreys_generator {
  double at_zero = unbounded, slope_at_infinity = unbounded;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::log;
    return T((u - T(1)) * log(u));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::log;
    return T(log(u) + T(1) - T(1) / u);
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T((T(1) + T(1) / u) / u);
  }
  /// 1/v − 1 − ln v with v + ln v = 1 − t, Lambert's v = W(e^{1−t}).
  DIVOT_HD double closed_conjugate(double t) const {
    double const s = 1 - t;
    double log_v = s > 1 ? std::log(s) : s;
    for (int i = 0; i < 50; ++i) {  // Newton's steps on a convex function
      double const v = std::exp(log_v);
      log_v -= (log_v + v - s) / (1 + v);
    }
    return std::expm1(-log_v) - log_v;
  }
};
inline kl_generator generator(kl const&) { return {}; }
inline reverse_kl_generator generator(reverse_kl const&) { return {}; }
inline jeffreys_generator generator(jeffreys const&) { return {}; }

inline auto describe(kl const&) { return description<kl>{"kl", "Σ p ln(p/q)"}; }
inline auto describe(reverse_kl const&) {
  return description<reverse_kl>{"reverse_kl", "Σ q ln(q/p)"};
}
inline auto describe(jeffreys const&) {
  return description<jeffreys>{"jeffreys", "Σ (p − q) ln(p/q)"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
