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
    // the nodes 0, α, λ in ascending order, and where 0 and α have gone
    std::array<double, 3> nodes{0, alpha_, lambda_};
    std::sort(nodes.begin(), nodes.end());
    lower_gap_ = nodes[1] - nodes[0];
    upper_gap_ = nodes[2] - nodes[1];
    span_ = nodes[2] - nodes[0];
    lower_slope_ = reciprocal(lower_gap_.wide);
    upper_slope_ = reciprocal(upper_gap_.wide);
    span_slope_ = reciprocal(span_.wide);
    for (std::size_t i = 0; i < 3; ++i) {
      // exp(λ log q + node·ell) for the nodes 0, α, λ
      powers_[i] = nodes[i] == 0         ? power_product(0, lambda_)
                   : nodes[i] == lambda_ ? power_product(lambda_, 0)
                                         : power_product(alpha_, beta_);
      is_q_[i] = unit_ && nodes[i] == 0;
      is_p_[i] = unit_ && !is_q_[i] && nodes[i] == lambda_;
      if (nodes[i] == 0) zero_node_ = i;
      if (nodes[i] == alpha_) alpha_node_ = i;
    }
    separated_ = std::min(lower_gap_.wide, upper_gap_.wide) >= 0.1 * largest;
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
    V const low = power(0, x), middle = power(1, x), high = power(2, x);
    V const at_zero = zero_node_ == 0 ? low : zero_node_ == 1 ? middle : high;
    V const at_alpha = alpha_node_ == 0 ? low : alpha_node_ == 1 ? middle : high;

    // w = −(E(α ell) − g·E(0))/α; with λ = 1 the gauge is e^(α anchor), so that classes whose
    // ratio is nearly the anchor's keep their digits
    V g(1), from = ell, bound = constant<V>(near_bound);
    if (unit_) {
      V const exponent = slope_alpha_.on<V>() * anchor;
      g = power_gauge(exponent);
      from = math::select(exponent < constant<V>(60), x.relative, ell);
      bound = math::select(exponent > constant<V>(-60), bound, V(0));
    }
    V const a_from = slope_alpha_.on<V>() * from;
    V const growth = math::fma(a_from, math::expm1_tail(a_from), V(1));
    V const near_w = -(at_zero * g) * from * growth;
    V const far_w = math::fms(g, at_zero, at_alpha) * reciprocal_alpha_.on<V>();
    V const w = math::select(math::abs(a_from) < bound, near_w, far_w);

    // loss: series where every node is small, else divided differences of neighbours
    V const m_ell = largest_.on<V>() * ell;
    auto const near = math::abs(m_ell) <= V(1);
    V const series = series_sum < single ? 10 : 22 > (m_ell, series_);
    V far;
    if (separated_) {
      far = (high - middle) * upper_slope_.on<V>() - (middle - low) * lower_slope_.on<V>();
    } else {
      far = slope(upper_gap_, upper_slope_, ell, middle, high) -
            slope(lower_gap_, lower_slope_, ell, low, middle);
    }
    V const loss =
        math::select(near, V(at_zero * (ell * ell) * series), V(far * span_slope_.on<V>()));
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
  /// exp(λ log q + node·ell) at the i-th node: q^λ, p^α q^β or p^λ.
  template <class V>
  DIVOT_INLINE V power(std::size_t i, class_point<V> const& x) const {
    if (is_q_[i]) return x.q;
    if (is_p_[i]) return x.p;
    return powers_[i].of(x.exponent_p, x.exponent_q);
  }
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
  parameter slope_alpha_, largest_, reciprocal_alpha_, lower_gap_, upper_gap_, span_;
  parameter lower_slope_, upper_slope_, span_slope_;
  std::array<parameter, order> series_{};
  std::array<power_product, 3> powers_;
  std::array<bool, 3> is_q_{}, is_p_{};
  std::size_t zero_node_ = 0, alpha_node_ = 0;
  bool unit_ = false;       // λ = 1
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
