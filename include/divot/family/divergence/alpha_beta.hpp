// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/economised.hpp>
#include <divot/core/errors.hpp>
#include <divot/core/parameter.hpp>
#include <divot/core/probability_power.hpp>
#include <divot/family/divergence/anchored_slope.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

namespace divot {

/// The α-β divergence of Cichocki, Cruces and Amari, the whole plane in one expression.
///
///   D(p, q) = Σ_k q_k^λ ell_k² exp[0, α ell_k, λ ell_k],  ell = ln(p/q),  λ = α + β
///
/// with exp[·,·,·] the second divided difference of exp: for α, β, λ ≠ 0 this is
/// −1/(αβ) Σ (p^α q^β − (α/λ) p^λ − (β/λ) q^λ), and it has the right limit at every zero.
/// (1,0) is KL(p‖q), (0,1) KL(q‖p), (½,½) twice the squared Hellinger divergence.
///
/// Domain    α, β, α + β finite; |α + β − 1| ≤ 4e-16 counts as α + β = 1
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

/// What does not depend on a row.
class bound_alpha_beta {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_powers = true;
  static constexpr bool needs_relative = true;

  bound_alpha_beta(double a, double b) : alpha_(a), beta_(b), lambda_(a + b) {
    lambda_less_1_ = static_cast<double>((static_cast<long double>(a) - 1) + b);
    double const largest = std::max({std::abs(a), std::abs(lambda_), 1e-310});
    unit_ = std::abs(lambda_ - 1) <= 4e-16;
    slope_ = a;
    per_slope_ = reciprocal(a);
    largest_ = largest;
    // the nodes 0, α, λ in ascending order, and where they have gone
    std::array<double, 3> const role{0, a, lambda_};
    std::sort(node_.begin(), node_.end(),
              [&](std::size_t i, std::size_t j) { return role[i] < role[j]; });
    lower_gap_ = role[node_[1]] - role[node_[0]];
    upper_gap_ = role[node_[2]] - role[node_[1]];
    double const span = role[node_[2]] - role[node_[0]];
    lower_slope_ = reciprocal(lower_gap_.wide);
    upper_slope_ = reciprocal(upper_gap_.wide);
    span_slope_ = reciprocal(span);
    separated_ = std::min(lower_gap_.wide, upper_gap_.wide) >= 0.18 * largest && largest > 1e-3 &&
                 largest < 1e3;  // powers of it are no trouble
    near_square_ = square(near_bound / largest);
    near_slope_square_ = square(near_bound / a);
    if (separated_) {
      share_[node_[0]] = 1 / (lower_gap_.wide * span);
      share_[node_[1]] = -1 / (lower_gap_.wide * upper_gap_.wide);
      share_[node_[2]] = 1 / (upper_gap_.wide * span);
    }
    set_series(a / largest, lambda_ / largest);
  }

  bool needs_exact_offset() const { return !unit_; }
  power_reach reach() const {
    return {std::max({std::abs(alpha_), std::abs(beta_), std::abs(lambda_)}),
            -std::min({alpha_, lambda_, 0.}), -std::min({beta_, lambda_, 0.})};
  }
  class_limits limits() const {
    double const a = alpha_, b = beta_, l = lambda_;
    class_limits end{};
    end.loss_p0 = a > 0 && l > 0 ? 1 / (a * l) : unbounded;
    end.loss_q0 = b > 0 && l > 0 ? 1 / (b * l) : unbounded;
    end.w_p0 = a > 0 ? 1 / a : unbounded;  // unless the row has a gauge
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
  bound_alpha_beta dual() const { return {beta_, alpha_}; }

  double alpha() const { return alpha_; }
  double beta() const { return beta_; }

  template <class V, class R>
  class row_form;
  template <class V, class R>
  row_form<V, R> on_row(math::row_probability<R> const& p, math::row_probability<R> const& q,
                        R const& anchor) const {
    return {*this, p, q, anchor};
  }

 private:
  // terms of the series in float and in double; where no two nodes are close it ends earlier
  static constexpr std::size_t order = 24, short_float = 6, short_double = 13, long_float = 8,
                               long_double = 16;

  static double square(double x) { return x * x; }
  /// 1/x, or 0 where x is so small that the quotient is never taken.
  static double reciprocal(double x) { return std::abs(x) < 1e-30 ? 0 : 1 / x; }

  /// exp[0, x ell, y ell] = Σ c_n ellⁿ, c_n = h_n(x, y)/(n+2)!, h_n the complete homogeneous
  /// polynomial, for |x|, |y| ≤ 1.
  void set_series(double x, double y) {
    std::array<double, order> c{};
    double h = 1, power = 1, factorial = 2;
    for (std::size_t n = 0; n < order; ++n) {
      c[n] = h / factorial;
      factorial *= double(n + 3);
      power *= x;
      h = y * h + power;
    }
    double const radius = separated_ ? near_bound : 1;
    auto const wide = economised(c, radius, separated_ ? short_double : long_double);
    auto const narrow = economised(c, radius, separated_ ? short_float : long_float);
    double unit = 1;
    for (std::size_t n = 0; n < long_double; ++n) {
      series_[n] = unit * wide[n];
      series_[n].narrow = static_cast<float>(unit * narrow[n]);
      if (separated_) unit *= largest_.wide;
    }
  }

  double alpha_, beta_, lambda_, lambda_less_1_;
  parameter slope_, per_slope_;  // α and 1/α
  parameter largest_;            // m = max(|α|, |λ|)
  parameter lower_gap_, upper_gap_, lower_slope_, upper_slope_, span_slope_;
  // below these ell² is near: |m ell| (where separated) and |α ell|
  parameter near_square_, near_slope_square_;
  std::array<parameter, long_double> series_{};  // of ell; of m ell where nodes are close
  std::array<std::size_t, 3> node_{0, 1, 2};     // of 0, α, λ, in ascending order
  std::array<parameter, 3> share_{};             // of their powers in the loss, where separated
  bool unit_ = false;                            // λ = 1
  bool separated_ = false;  // no two nodes so close that their difference cancels where it is used
};

/// The divergence on a row of these probabilities.
template <class V, class R>
class bound_alpha_beta::row_form {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_relative = true;

  row_form(bound_alpha_beta const& plane, math::row_probability<R> const& p,
           math::row_probability<R> const& q, R const& row_anchor)
      : plane_(plane),
        p_lambda_(p, plane.lambda_),
        q_lambda_(q, plane.lambda_),
        p_alpha_(p, plane.alpha_),
        q_beta_(q, plane.beta_),
        mixed_(p_alpha_, q_beta_),
        near_square_(plane.near_slope_square_.on<V>()) {
    if (plane.unit_) {
      V const exponent = plane.slope_.on<V>() * spread<V>(row_anchor);
      // out of range it is centred
      from_anchor_ = exponent < constant<V>(60);
      gauge_ = math::select(from_anchor_, math::exp(exponent), V(1));
      V const near = V(-spread<V>(row_anchor) * math::minus_expm1_ratio(exponent));
      gauge_shift_ =
          math::select(is_near(exponent), near, V((gauge_ - V(1)) * plane.per_slope_.on<V>()));
      near_square_ = math::select(exponent > constant<V>(-60), near_square_, V(0));
    } else if (anchored_type::pays(q, plane.lambda_less_1_)) {
      is_anchored_ = true;
      anchored_ =
          anchored_type(plane.slope_, plane.per_slope_, plane.lambda_less_1_, q, row_anchor);
    }
  }

  class_limits limits() const { return plane_.limits(); }
  /// p^λ and q^λ.
  std::pair<V, V> weights(class_point<V> const& x) const {
    if (plane_.unit_) return {x.p, x.q};
    return {p_lambda_(p_lambda_.raised(x.x_p)), q_lambda_(q_lambda_.raised(x.x_q))};
  }
  V w_at_zero_p(class_point<V> const& x, V const& weight_q) const {
    if (plane_.alpha_ <= 0) return infinity<V>();
    if (is_anchored_) return anchored_.at_zero_p(x, weight_q);
    return V((plane_.unit_ ? V(gauge_ * weight_q) : weight_q) * constant<V>(1 / plane_.alpha_));
  }
  V gauge_shift() const {
    if (plane_.unit_) return gauge_shift_;
    return is_anchored_ ? anchored_.shift() : V(0);
  }

  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& /*anchor*/) const {
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    V const ell = x.ell;
    // q^λ, p^α q^β and p^λ
    V const x_p = p_alpha_.raised(x.x_p), x_q = q_beta_.raised(x.x_q);
    V const y_p = plane_.separated_ ? x_p : p_lambda_.raised(x.x_p);
    V const y_q = plane_.separated_ ? x_q : q_lambda_.raised(x.x_q);
    V at_zero = x.q, at_lambda = x.p, at_alpha, base;
    if constexpr (std::is_same_v<scalar_of<V>, long double>) {
      at_alpha = math::exp(log_of_mixed(x));
    } else {
      at_alpha = mixed_(x_p, x_q);
    }
    // w = −(p^α q^β − g·q^λ)/α; with λ = 1 the gauge is e^(α anchor), so that classes whose
    // ratio is nearly the anchor's keep their digits
    if (plane_.unit_) {
      base = gauge_ * at_zero;
    } else {
      base = at_zero = q_lambda_(y_q);
      at_lambda = p_lambda_(y_p);
    }
    V const square = ell * ell;
    V from = ell, from_square = square;
    if (plane_.unit_) {
      from = math::select(from_anchor_, x.relative, ell);
      from_square = from * from;
    }
    V const a_from = plane_.slope_.on<V>() * from;
    V const growth = from * math::minus_expm1_ratio(a_from);  // (1 − e^(α·from))/α where near
    V near_loss = square;
    if (plane_.separated_) {
      near_loss *= series_sum < single ? short_float : short_double > (ell, plane_.series_);
    } else {
      V const m_ell = plane_.largest_.on<V>() * ell;
      near_loss *= series_sum < single ? long_float : long_double > (m_ell, plane_.series_);
    }
    V const far_w = (base - at_alpha) * plane_.per_slope_.on<V>();
    V w = math::select(from_square <= near_square_, V(base * growth), far_w);
    if (is_anchored_) [[unlikely]]
      w = anchored_(x, at_zero, at_alpha);

    // loss: a series where every node is small, else divided differences
    V loss;
    if (plane_.separated_) {
      auto const near = square < plane_.near_square_.on<V>();
      auto const& share = plane_.share_;
      V const others = math::fma(at_lambda, share[2].on<V>(), at_alpha * share[1].on<V>());
      loss = math::fma(at_zero, math::select(near, near_loss, share[0].on<V>()),
                       math::select(near, V(0), others));
    } else {
      V const e[3] = {at_zero, at_alpha, at_lambda};
      auto const& node = plane_.node_;
      V const low = e[node[0]], middle = e[node[1]], high = e[node[2]];
      V const far = (slope(plane_.upper_gap_, plane_.upper_slope_, ell, middle, high) -
                     slope(plane_.lower_gap_, plane_.lower_slope_, ell, low, middle)) *
                    plane_.span_slope_.on<V>();
      auto const near = math::abs(V(plane_.largest_.on<V>() * ell)) < V(1);
      loss = math::select(near, V(at_zero * near_loss), far);
    }
    if constexpr (lane_traits<V>::is_pack) {
      return {loss, w};
    } else {
      // ∞ − ∞: both terms left the type's range, and so does the difference, if there is one
      if (ell == V(0)) return {V(0), math::select(w == w, w, V(0))};
      V const side = math::select(ell > V(0), V(-infinity<V>()), infinity<V>());
      return {math::select(loss == loss, loss, infinity<V>()), math::select(w == w, w, side)};
    }
  }

 private:
  /// log(p^α q^β) from that two of ell, log p and log q whose multiples are least: the others may
  /// be so large that they have lost what is left of them.
  V log_of_mixed(class_point<V> const& x) const {
    V const a(plane_.alpha_), b(plane_.beta_), l(plane_.lambda_);
    V const pairs[3][2] = {{V(a * x.log_p), V(b * x.log_q)},
                           {V(a * x.ell), V(l * x.log_q)},
                           {V(l * x.log_p), V(-b * x.ell)}};
    auto const size = [](V const(&y)[2]) { return math::max(math::abs(y[0]), math::abs(y[1])); };
    auto const least = std::min_element(
        pairs, pairs + 3, [&](auto const& u, auto const& v) { return size(u) < size(v); });
    return V((*least)[0] + (*least)[1]);
  }

  using power = math::probability_power<V, R>;
  using anchored_type = anchored_slope<V, R>;

  /// (b − a)/gap for a = E(y), b = E(y + gap·ell), gap ≥ 0; near by the larger times
  /// φ₁(−|gap·ell|).
  static DIVOT_INLINE V slope(parameter const& gap, parameter const& per_gap, V const& ell,
                              V const& a, V const& b) {
    V const x = gap.on<V>() * ell;
    auto const near = is_near(x);
    V const down = math::select(near, V(-math::abs(x)), V(0));
    V const larger = math::select(x > V(0), b, a);
    V const ratio = larger * math::fma(down, math::expm1_tail(down), V(1));
    return math::select(near, V(ell * ratio), V((b - a) * per_gap.on<V>()));
  }

  bound_alpha_beta plane_;
  power p_lambda_, q_lambda_, p_alpha_, q_beta_;
  math::power_product<V, R> mixed_;
  V near_square_;  // |α ell| below its root is near; with λ = 1, |α·relative|
  V gauge_ = V(1), gauge_shift_ = V(0);
  mask_of<V> from_anchor_ = V(0) > V(0);
  anchored_type anchored_;
  bool is_anchored_ = false;
};

inline bound_alpha_beta bind(alpha_beta const& d) {
  check_finite(d.alpha, "alpha_beta", "alpha");
  check_finite(d.beta, "alpha_beta", "beta");
  check_finite(d.alpha + d.beta, "alpha_beta", "alpha + beta");
  return {d.alpha, d.beta};
}

inline bound_alpha_beta bind(alpha const& d) {
  check_finite(d.alpha, "alpha", "alpha");
  return {d.alpha, 1 - d.alpha};
}

}  // namespace DIVOT_ABI
}  // namespace divot
