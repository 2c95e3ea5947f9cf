// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>

#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// What a divergence sees of one class (or a pack of classes).
///
///   ell = log p − log q  p, q probabilities
///   log_p, log_q         valid only for divergences with `needs_logs`, and in long double
///   x_p, x_q             the operands' own numbers (logits), for `needs_powers`
///   relative             ell minus the anchor's, exactly; for `needs_relative`
///
/// ell is exact to its last bits even where p and q have underflowed to 0; it is finite: classes
/// with a zero probability (a logit of −inf) are handled by `edge_terms`.
template <class V>
struct class_point {
  V ell, p, q, log_p, log_q, x_p, x_q, relative;

  /// The same class with teacher and student exchanged.
  DIVOT_INLINE class_point swapped() const {
    return {V(-ell), q, p, log_q, log_p, x_q, x_p, V(-relative)};
  }
};

/// What a divergence says of one class: the loss d ≥ 0 and w = ∂d/∂(log q) at fixed p.
///
/// w is defined up to a multiple of q (its gauge), which the projection onto logits removes. With
/// the gauge g it is  w_centred + (g − 1)·f(0)·q:  g = 1 vanishes at p = q, g = 0 vanishes as
/// p/q → 0. `anchor`, the ell of the student's largest class, decides (`row_gauge`), so that
/// neither end cancels.
template <class V>
struct class_terms {
  V loss, w;
};

/// The limits of a divergence at the ends of a class, in units of the surviving probability, or
/// what stands for it (`weights`).
///
///   p = 0:  loss → loss_p0·q,  w → (w_p0 + g·gauge)·q
///   q = 0:  loss → loss_q0·p,  w → w_q0·p,  w/q → omega_q0·p^omega_power
struct class_limits {
  double loss_p0, w_p0, gauge, loss_q0, w_q0, omega_q0, omega_power = 0;
};

inline constexpr double unbounded = std::numeric_limits<double>::infinity();

/// Below this |ell| the series of a divergence is taken, above it the closed form.
inline constexpr double near_bound = 0.5;

/// Whether |ell| is below it.
template <class V>
DIVOT_INLINE mask_of<V> is_near(V const& ell) {
  return ell * ell < constant<V>(near_bound * near_bound);  // the series want the square anyway
}

/// The gauge of a row: far (0) where p is much smaller than q at the anchor, else centred (1).
template <class V>
DIVOT_INLINE V row_gauge(V const& anchor, math::same<V> const& far = constant<V>(-near_bound)) {
  return math::select(anchor < far, V(0), V(1));
}

/// The same as a divergence has it: one with a `far_from` says itself from which ell on p is much
/// smaller than q.
template <class Bound, class V>
DIVOT_INLINE V gauge_of([[maybe_unused]] Bound const& bound, V const& anchor) {
  if constexpr (requires { bound.far_from(); }) {
    return row_gauge(anchor, constant<V>(bound.far_from()));
  } else {
    return row_gauge(anchor);
  }
}

/// The ell, at most −½, where the centred w/q of a divergence has come half the way to its limit
/// f(0) for p → 0: beyond it the far gauge has the smaller numbers.
template <class Bound>
DIVOT_HD double half_way(Bound const& bound, double at_zero) {
  auto const short_of = [&](double ell) {
    class_point<double> x{};
    x.ell = ell;
    x.p = std::exp(ell);
    x.q = 1;
    return bound.at(x, 0.).w < .5 * at_zero;
  };
  double near = -near_bound, far = -700;
  if (!short_of(near)) return near;
  for (int i = 0; i < 40; ++i) {
    double const middle = .5 * (near + far);
    (short_of(middle) ? near : far) = middle;
  }
  return far;
}

/// `edge_terms` by the divergence's limits.
template <class Bound, class V>
DIVOT_HD class_terms<V> terms_at_limits(Bound const& bound, class_terms<V> const& terms,
                                        class_point<V> const& x, V const& anchor,
                                        mask_of<V> const& p_zero, mask_of<V> const& q_zero) {
  class_limits const end = bound.limits();
  auto const scaled = [&](double coefficient, V const& weight) {
    if (coefficient == unbounded) return infinity<V>();
    if (coefficient == -unbounded) return V(-infinity<V>());
    return V(constant<V>(coefficient) * weight);
  };
  V weight_p = x.p, weight_q = x.q, w_p0;
  if constexpr (requires { bound.weights(x); }) {
    auto const [power_p, power_q] = bound.weights(x);
    weight_p = power_p;
    weight_q = power_q;
    w_p0 = bound.w_at_zero_p(x, weight_q);
  } else {
    w_p0 = V(scaled(end.w_p0, weight_q) + gauge_of(bound, anchor) * scaled(end.gauge, weight_q));
  }
  V const loss = math::select(p_zero, scaled(end.loss_p0, weight_q),
                              math::select(q_zero, scaled(end.loss_q0, weight_p), terms.loss));
  V const w = math::select(p_zero, w_p0, math::select(q_zero, scaled(end.w_q0, weight_p), terms.w));
  return {loss, w};
}

/// The terms of a class of which one probability is exactly 0.
///
/// `p_zero` and `q_zero` mark the lanes in question; `terms` holds what the divergence's own
/// formula gave, and is kept elsewhere. A divergence without `limits` has an `at_edge` of its own.
template <class Bound, class V>
DIVOT_HD class_terms<V> edge_terms(Bound const& bound, class_terms<V> const& terms,
                                   class_point<V> const& x, V const& anchor,
                                   mask_of<V> const& p_zero, mask_of<V> const& q_zero) {
  if constexpr (requires { bound.at_edge(x, anchor, p_zero, q_zero); }) {
    return bound.at_edge(x, anchor, p_zero, q_zero);
  } else {
    return terms_at_limits(bound, terms, x, anchor, p_zero, q_zero);
  }
}

/// w/q as q → 0, given p.
template <class Bound, class V>
DIVOT_HD V omega_without_q(Bound const& bound, V const& p, V const& anchor) {
  if constexpr (requires { bound.omega_at_zero_q(p, anchor); }) {
    return bound.omega_at_zero_q(p, anchor);
  } else {
    class_limits const end = bound.limits();
    V limit = constant<V>(end.omega_q0);
    if (end.omega_power != 0) {
      limit = V(limit * math::exp(V(constant<V>(end.omega_power) * math::log(p))));
    }
    if constexpr (requires { bound.gauge_shift(); }) {
      return V(limit + bound.gauge_shift());
    } else {
      return V(limit + (gauge_of(bound, anchor) - V(1)) * constant<V>(end.gauge));
    }
  }
}

/// expm1(ell)·q where |ell| is small: q·ell·(1 + ell·tail).
template <class V>
DIVOT_INLINE V near_difference(class_point<V> const& x, V const& tail) {
  return V(x.q * math::fma(V(x.ell * x.ell), tail, x.ell));
}

}  // namespace DIVOT_ABI
}  // namespace divot
