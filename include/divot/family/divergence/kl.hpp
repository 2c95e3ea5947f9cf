// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_point.hpp>

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
  bound_reverse_kl dual() const;
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
  bound_kl dual() const { return {}; }
};

inline bound_reverse_kl bound_kl::dual() const { return {}; }

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
  bound_jeffreys dual() const { return {}; }
};

inline bound_kl bind(kl const&) { return {}; }
inline bound_reverse_kl bind(reverse_kl const&) { return {}; }
inline bound_jeffreys bind(jeffreys const&) { return {}; }

}  // namespace DIVOT_ABI
}  // namespace divot
