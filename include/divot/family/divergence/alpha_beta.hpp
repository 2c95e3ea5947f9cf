// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
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
  static constexpr bool needs_logs = true;
  static constexpr std::size_t order = 24;

  bound_alpha_beta(double a, double b) : alpha_(a), beta_(b), lambda_(a + b) {
    largest_ = std::max({std::abs(alpha_), std::abs(lambda_), 1e-300});
    // ell² Σ c_n (m ell)ⁿ with c_n = h_n(α/m, λ/m)/(n+2)!, h_n the complete homogeneous polynomial
    double const x = alpha_ / largest_, y = lambda_ / largest_;
    double h = 1, power = 1, factorial = 2;
    for (std::size_t n = 0; n < order; ++n) {
      series_[n] = h / factorial;
      factorial *= double(n + 3);
      power *= x;
      h = y * h + power;
    }
    nodes_ = {0, alpha_, lambda_};
    std::sort(nodes_.begin(), nodes_.end());
    unit_ = std::abs(lambda_ - 1) <= 4e-16;
    gauge_ = unit_ && alpha_ > 0;
  }

  bool needs_exact_offset() const { return !unit_; }

  class_limits limits() const {
    double const a = alpha_, b = beta_, l = lambda_;
    class_limits end{};
    end.power = unit_ ? 1 : l;
    end.loss_p0 = a > 0 && l > 0 ? 1 / (a * l) : unbounded;
    end.loss_q0 = b > 0 && l > 0 ? 1 / (b * l) : unbounded;
    end.gauge = gauge_ ? 1 / a : 0;
    end.w_p0 = gauge_ ? 0 : a > 0 ? 1 / a : unbounded;
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
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& gauge) const {
    using T = scalar_of<V>;
    V const ell = x.ell;
    auto const power = [&](double node) {  // exp(λ log q + node·ell): q^λ, p^α q^β or p^λ
      if (unit_ && node == 0) return x.q;
      if (unit_ && node == lambda_) return x.p;
      return math::exp(math::fma(constant<V>(node), ell, V(constant<V>(lambda_) * x.log_q)));
    };
    V const low = power(nodes_[0]), middle = power(nodes_[1]), high = power(nodes_[2]);
    V const at_zero = nodes_[0] == 0 ? low : nodes_[1] == 0 ? middle : high;
    V const at_alpha = nodes_[0] == alpha_ ? low : nodes_[1] == alpha_ ? middle : high;

    // w: the first divided difference over the nodes 0 and α
    V const g = gauge_ ? gauge : V(1);
    V const unit = constant<V>(reciprocal<T>(alpha_));
    V const a_ell = constant<V>(alpha_) * ell;
    auto const near_w = math::abs(a_ell) < constant<V>(near_bound);
    V const first = math::select(near_w, ratio(a_ell, at_zero, at_alpha), V(0)) * ell;
    V const w = math::select(near_w, V((g - V(1)) * at_zero * unit - first),
                             V((g * at_zero - at_alpha) * unit));

    // loss: series where every node is small, else divided differences of neighbours
    V const m_ell = constant<V>(largest_) * ell;
    auto const near = math::abs(m_ell) <= V(1);
    V series = constant<V>(series_[terms<T> - 1]);
    for (std::size_t n = terms<T> - 1; n-- > 0;) {
      series = math::fma(series, m_ell, constant<V>(series_[n]));
    }
    V const upper = slope(nodes_[2] - nodes_[1], ell, middle, high);
    V const lower = slope(nodes_[1] - nodes_[0], ell, low, middle);
    V const far = (upper - lower) * constant<V>(reciprocal<T>(nodes_[2] - nodes_[0]));
    V const loss = math::select(near, V(at_zero * (ell * ell) * series), far);
    return {loss, w};
  }
  bound_alpha_beta dual() const { return {beta_, alpha_}; }

  double alpha() const { return alpha_; }
  double beta() const { return beta_; }

 private:
  template <class T>
  static constexpr std::size_t terms = std::is_same_v<T, float> ? 12 : 22;

  /// 1/x, or 0 where x is so small that the quotient is never taken.
  template <class T>
  static double reciprocal(double x) {
    return std::abs(x) < 1e-30 ? 0 : 1 / x;
  }
  /// (b − a)/x where b = a·e^x, |x| < ½: the larger of the two times φ₁(−|x|).
  template <class V>
  static DIVOT_INLINE V ratio(V const& x, V const& a, V const& b) {
    V const down = -math::abs(x);
    V const larger = math::select(x > V(0), b, a);
    return larger * math::fma(down, math::expm1_tail(down), V(1));
  }
  /// (b − a)/gap, for a = E(x), b = E(x + gap·ell).
  template <class V>
  static DIVOT_INLINE V slope(double gap, V const& ell, V const& a, V const& b) {
    V const x = constant<V>(gap) * ell;
    auto const near = math::abs(x) < constant<V>(near_bound);
    V const safe = math::select(near, x, V(0));
    return math::select(near, V(ell * ratio(safe, a, b)),
                        V((b - a) * constant<V>(reciprocal<scalar_of<V>>(gap))));
  }

  double alpha_, beta_, lambda_, largest_;
  std::array<double, order> series_{};
  std::array<double, 3> nodes_{};
  bool unit_ = false, gauge_ = false;
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
