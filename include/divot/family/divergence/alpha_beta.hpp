// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/log_words.hpp>
#include <divot/core/parameter.hpp>
#include <divot/family/class_point.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace divot {

/// The α-β divergence of Cichocki, Cruces and Amari, the whole plane in one expression.
///
///   D(p, q) = Σ_k q_k^λ ell_k² exp[0, α ell_k, λ ell_k],  ell = ln(p/q),  λ = α + β
///
/// with exp[·,·,·] the second divided difference of exp: for α, β, λ ≠ 0 this is
/// −1/(αβ) Σ (p^α q^β − (α/λ) p^λ − (β/λ) q^λ), and it has the right limit at every zero.
/// (1,0) is KL(p‖q), (0,1) KL(q‖p), (½,½) twice the squared Hellinger divergence.
///
/// Domain    α, β finite
/// Limits    p_k = 0 adds q_k^λ/(αλ) if α, λ > 0, else +inf; q_k = 0 the mirror image in β
/// Range     [0, ∞)
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −q^λ expm1(α ell)/α
/// Ref       Cichocki, Cruces and Amari (2011), Entropy 13(1), 134–170; ABKD (2025), ICML
struct alpha_beta {
  double alpha = 0.5;
  double beta = 0.5;
};

/// The α-divergence (Amari, Cressie–Read's D_a), f(u) = (u^α − 1 − α(u − 1))/(α(α − 1)).
///
/// α → 1 is KL(p‖q), α → 0 is KL(q‖p): the line alpha_beta{α, 1 − α}.
/// Ref       Amari (2009), IEEE Trans. Inf. Theory 55(11), 4925–4931
struct alpha {
  double alpha = 0.5;  // NOLINT: named as in the literature
};

inline namespace DIVOT_ABI {

class bound_alpha_beta {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_powers = true;
  static constexpr bool needs_relative = true;
  static constexpr std::size_t order = 24;

  bound_alpha_beta(double a, double b) : alpha_(a), beta_(b), lambda_(a + b) {
    double const largest = std::max({std::abs(alpha_), std::abs(lambda_), 1e-300});
    largest_ = largest;
    // ell² Σ c_n (m ell)ⁿ with c_n = h_n(α/m, λ/m)/(n+2)!, h_n the complete homogeneous polynomial
    double const x = alpha_ / largest, y = lambda_ / largest;
    double h = 1, power = 1, factorial = 2;
    for (std::size_t n = 0; n < order; ++n) {
      series_[n] = h / factorial;
      factorial *= double(n + 3);
      power *= x;
      h = y * h + power;
    }
    unit_ = std::abs(lambda_ - 1) <= 4e-16;
    slope_alpha_ = alpha_;
    reciprocal_alpha_ = reciprocal(alpha_);
    zero_ = power_product(0, lambda_);
    product_ = power_product(alpha_, beta_);
    full_ = power_product(lambda_, 0);
    // the nodes 0, α, λ in ascending order, and where they have gone
    std::array<double, 3> const role{0, alpha_, lambda_};
    std::sort(node_.begin(), node_.end(),
              [&](std::size_t i, std::size_t j) { return role[i] < role[j]; });
    lower_gap_ = role[node_[1]] - role[node_[0]];
    upper_gap_ = role[node_[2]] - role[node_[1]];
    double const span = role[node_[2]] - role[node_[0]];
    separated_ = std::min(lower_gap_.wide, upper_gap_.wide) >= 0.18 * largest;
    lower_slope_ = reciprocal(lower_gap_.wide);
    upper_slope_ = reciprocal(upper_gap_.wide);
    span_slope_ = reciprocal(span);
    if (separated_) {
      share_[node_[0]] = 1 / (lower_gap_.wide * span);
      share_[node_[1]] = -1 / (lower_gap_.wide * upper_gap_.wide);
      share_[node_[2]] = 1 / (upper_gap_.wide * span);
    }
  }

  bool needs_exact_offset() const { return !unit_; }

  class_limits limits() const {
    double const a = alpha_, b = beta_, l = lambda_;
    class_limits end{};
    end.power = unit_ ? 1 : l;
    end.loss_p0 = a > 0 && l > 0 ? 1 / (a * l) : unbounded;
    end.loss_q0 = b > 0 && l > 0 ? 1 / (b * l) : unbounded;
    end.gauge = unit_ && a != 0 ? 1 / a : 0;
    end.gauge_slope = a;
    end.smooth_gauge = unit_;
    end.w_p0 = a > 0 ? (unit_ ? 0 : 1 / a) : unbounded;
    // −(p^α q^β − q^λ)/α as q → 0
    if (a > 0) {
      end.w_q0 = b > 0 ? 0 : b == 0 ? -1 / a : -unbounded;
    } else if (a == 0) {
      end.w_q0 = b > 0 ? 0 : -unbounded;
    } else {
      end.w_q0 = l > 0 ? 0 : l == 0 ? 1 / a : -unbounded;
    }
    // −(p^α q^{β−1} − q^{λ−1})/α as q → 0
    if (a > 0) {
      end.omega_q0 = b < 1 ? -unbounded : b == 1 ? -1 / a : 0;
      end.omega_power = b == 1 ? a : 0;
    } else if (a == 0) {
      end.omega_q0 = b > 1 ? 0 : -unbounded;
    } else {
      end.omega_q0 = l < 1 ? -unbounded : l == 1 ? 1 / a : 0;
    }
    return end;
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    V const ell = x.ell;
    // q^λ, p^α q^β and p^λ
    V const at_alpha = product_.of(x.exponent_p, x.exponent_q);
    V at_zero, at_lambda;
    if (unit_) {
      at_zero = x.q;
      at_lambda = x.p;
    } else {
      at_zero = zero_.of(x.exponent_p, x.exponent_q);
      at_lambda = full_.of(x.exponent_p, x.exponent_q);
    }

    // w = −(p^α q^β − g·q^λ)/α; with λ = 1 the gauge is e^(α anchor), so that classes whose
    // ratio is nearly the anchor's keep their digits
    V base = at_zero, from = ell, bound = constant<V>(near_bound);
    if (unit_) {
      V const exponent = slope_alpha_.on<V>() * anchor;
      base = power_gauge(exponent) * at_zero;
      from = math::select(exponent < constant<V>(60), x.relative, ell);
      bound = math::select(exponent > constant<V>(-60), bound, V(0));
    }
    V const a_from = slope_alpha_.on<V>() * from;
    V const growth = math::fma(a_from, math::expm1_tail(a_from), V(1));
    V const near_w = -base * from * growth;
    V const far_w = (base - at_alpha) * reciprocal_alpha_.on<V>();
    V const w = math::select(math::abs(a_from) < bound, near_w, far_w);

    // loss: series where every node is small, else divided differences
    V const m_ell = largest_.on<V>() * ell;
    V near_loss = at_zero * (ell * ell), far_loss;
    mask_of<V> near;
    if (separated_) {
      near = math::abs(m_ell) < constant<V>(.5);
      near_loss = near_loss * series_sum < single ? 7 : 15 > (m_ell, series_);
      far_loss = math::fma(at_lambda, share_[2].on<V>(),
                           math::fma(at_alpha, share_[1].on<V>(), at_zero * share_[0].on<V>()));
    } else {
      near = math::abs(m_ell) < V(1);
      near_loss = near_loss * series_sum < single ? 10 : 22 > (m_ell, series_);
      V const e[3] = {at_zero, at_alpha, at_lambda};
      V const low = e[node_[0]], middle = e[node_[1]], high = e[node_[2]];
      far_loss = (slope(upper_gap_, upper_slope_, ell, middle, high) -
                  slope(lower_gap_, lower_slope_, ell, low, middle)) *
                 span_slope_.on<V>();
    }
    V const loss = math::select(near, near_loss, far_loss);
    if constexpr (lane_traits<V>::is_pack) {
      return {loss, w};
    } else {
      // ∞ − ∞: both terms left the type's range, and so does the difference
      V const side = math::select(ell > V(0), V(-infinity<V>()), infinity<V>());
      return {math::select(loss == loss, loss, infinity<V>()), math::select(w == w, w, side)};
    }
  }
  bound_alpha_beta dual() const { return {beta_, alpha_}; }

  double alpha() const { return alpha_; }
  double beta() const { return beta_; }

 private:
  /// 1/x, or 0 where x is so small that the quotient is never taken.
  static double reciprocal(double x) { return std::abs(x) < 1e-30 ? 0 : 1 / x; }

  /// (b − a)/gap for a = E(y), b = E(y + gap·ell), gap ≥ 0; near by the larger times
  /// φ₁(−|gap·ell|).
  template <class V>
  static DIVOT_INLINE V slope(parameter const& gap, parameter const& per_gap, V const& ell,
                              V const& a, V const& b) {
    V const x = gap.on<V>() * ell;
    auto const near = is_near(x);
    V const down = math::select(near, V(-math::abs(x)), V(0));
    V const larger = math::select(x > V(0), b, a);
    V const ratio = larger * math::fma(down, math::expm1_tail(down), V(1));
    return math::select(near, V(ell * ratio), V((b - a) * per_gap.on<V>()));
  }

  double alpha_, beta_, lambda_;
  parameter slope_alpha_, largest_, reciprocal_alpha_, lower_gap_, upper_gap_;
  parameter lower_slope_, upper_slope_, span_slope_;
  std::array<parameter, order> series_{};
  power_product zero_, product_, full_;
  std::array<std::size_t, 3> node_{0, 1, 2};  // of 0, α, λ, in ascending order
  std::array<parameter, 3> share_{};          // of their powers in the loss, where separated
  bool unit_ = false;                         // λ = 1
  bool separated_ = false;  // no two nodes so close that their difference cancels where it is used
};

inline bound_alpha_beta bind(alpha_beta const& d) {
  check_finite(d.alpha, "alpha_beta", "alpha");
  check_finite(d.beta, "alpha_beta", "beta");
  return {d.alpha, d.beta};
}

inline bound_alpha_beta bind(alpha const& d) {
  check_finite(d.alpha, "alpha", "alpha");
  return {d.alpha, 1 - d.alpha};
}

}  // namespace DIVOT_ABI
}  // namespace divot
