// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/divergence/alpha_beta_plane.hpp>
#include <divot/family/divergence/anchored_slope.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// The α-β divergence on a row of these probabilities.
template <class V, class R>
class alpha_beta_row {
 public:
  static constexpr bool needs_logs = false;
  static constexpr double roundings = 3;
  static constexpr bool needs_relative = true;

  DIVOT_HD alpha_beta_row(bound_alpha_beta const& plane, math::row_probability<R> const& p,
                          math::row_probability<R> const& q, two_words<R> const& row_anchor)
      : plane_(plane),
        p_lambda_(p, plane.lambda_),
        q_lambda_(q, plane.lambda_),
        p_alpha_(p, plane.alpha_),
        q_beta_(q, plane.beta_),
        mixed_(p_alpha_, q_beta_),
        near_square_(plane.near_slope_square_.on<V>()) {
    if (plane.unit_) {
      auto const at_anchor = anchor_power(plane.alpha_, row_anchor);
      V const exponent = spread<V>(at_anchor.exponent);
      // out of range it is centred
      from_anchor_ = exponent < constant<V>(60);
      gauge_ = math::select(from_anchor_, spread<V>(at_anchor.value), V(1));
      V const near = V(-spread<V>(row_anchor.high) * math::minus_expm1_ratio(exponent));
      gauge_shift_ =
          math::select(is_near(exponent), near, V((gauge_ - V(1)) * plane.per_slope_.on<V>()));
      near_square_ = math::select(exponent > constant<V>(-60), near_square_, V(0));
    } else if (slope_type::pays(q, plane.lambda_less_1_)) {
      is_anchored_ = true;
      anchored_ = slope_type(plane.slope_, plane.per_slope_, plane.lambda_less_1_, q, row_anchor);
      gauge_shift_ = anchored_.shift();
    }
  }

  DIVOT_HD class_limits limits() const { return plane_.limits(); }
  /// p^λ and q^λ.
  DIVOT_HD std::pair<V, V> weights(class_point<V> const& x) const {
    if (plane_.unit_) return {x.p, x.q};
    return {p_lambda_(p_lambda_.raised(x.x_p)), q_lambda_(q_lambda_.raised(x.x_q))};
  }
  DIVOT_HD V w_at_zero_p(class_point<V> const& x, V const& weight_q) const {
    if (plane_.alpha_ <= 0) return infinity<V>();
    if (is_anchored_) return anchored_.at_zero_p(x, weight_q);
    return V((plane_.unit_ ? V(gauge_ * weight_q) : weight_q) / constant<V>(plane_.alpha_));
  }
  DIVOT_HD V gauge_shift() const { return gauge_shift_; }
  /// |ω| of the anchor, which `at` has subtracted already.
  DIVOT_HD R slope_taken() const { return is_anchored_ ? anchored_.slope_taken() : R(0); }

  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& /*anchor*/) const {
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    constexpr std::size_t few = single ? plane_type::short_float : plane_type::short_double;
    constexpr std::size_t many = single ? plane_type::long_float : plane_type::long_double;
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
      near_loss *= series_sum<few>(ell, plane_.series_);
    } else {
      V const m_ell = plane_.largest_.on<V>() * ell;
      near_loss *= series_sum<many>(m_ell, plane_.series_);
    }
    V const far_w = (base - at_alpha) * plane_.per_slope_.on<V>();
    V w = math::select(from_square <= near_square_, V(base * growth), far_w);
    if (is_anchored_) w = anchored_(x, at_zero, at_alpha);

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
  using power = math::probability_power<V, R>;
  using plane_type = bound_alpha_beta;
  using slope_type = anchored_slope<V, R>;

  /// log(p^α q^β) from that two of ell, log p and log q whose multiples are least: the others may
  /// be so large that they have lost what is left of them.
  DIVOT_HD V log_of_mixed(class_point<V> const& x) const {
    V const a(plane_.alpha_), b(plane_.beta_), l(plane_.lambda_);
    V const pairs[3][2] = {{V(a * x.log_p), V(b * x.log_q)},
                           {V(a * x.ell), V(l * x.log_q)},
                           {V(l * x.log_p), V(-b * x.ell)}};
    auto const size = [](V const(&y)[2]) { return math::max(math::abs(y[0]), math::abs(y[1])); };
    auto const least = std::min_element(
        pairs, pairs + 3, [&](auto const& u, auto const& v) { return size(u) < size(v); });
    return V((*least)[0] + (*least)[1]);
  }

  /// (b − a)/gap for a = E(y), b = E(y + gap·ell), gap ≥ 0; near by the larger times
  /// φ₁(−|gap·ell|).
  static DIVOT_INLINE V slope(parameter const& gap, parameter const& per_gap, V const& ell,
                              V const& a, V const& b) {
    // where the logits' difference overflows, so shall the product with ell
    V const x = gap.wide == 0 ? V(0) : V(gap.on<V>() * ell);
    auto const near = is_near(x);
    V const down = math::select(near, V(-math::abs(x)), V(0));
    V const larger = math::select(x > V(0), b, a);
    V const ratio = larger * math::fma(down, math::expm1_tail(down), V(1));
    return math::select(near, V(ell * ratio), V((b - a) * per_gap.on<V>()));
  }

  plane_type plane_;
  power p_lambda_, q_lambda_, p_alpha_, q_beta_;
  math::power_product<V, R> mixed_;
  V near_square_;  // |α ell| below its root is near; with λ = 1, |α·relative|
  V gauge_ = V(1), gauge_shift_ = V(0);
  mask_of<V> from_anchor_ = V(0) > V(0);
  slope_type anchored_;
  bool is_anchored_ = false;
};

}  // namespace DIVOT_ABI
}  // namespace divot
