// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/exact.hpp>
#include <divot/core/parameter.hpp>
#include <divot/core/shifted_exp.hpp>
#include <divot/family/class_point.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// e^(α ell) of the anchor, to its last bits where ell and α ell are rounded too.
template <class R>
struct power_of_anchor {
  R exponent, value;
};
template <class R>
DIVOT_HD power_of_anchor<R> anchor_power(double alpha, two_words<R> const& ell) {
  auto const a = lane_words<R>(alpha);
  auto const exponent = product(a, ell);
  R const y = math::min(exponent.high, constant<R>(60));
  R const value = math::exp(y);
  return {exponent.high, R(value + value * exponent.low)};
}

/// w of the α-β divergence less q times its ω = w/q at the anchor, ω₀, for rows in which classes
/// may have nearly the anchor's q and ω. λ = 1 needs none of this: there q^λ = q.
///
/// With g = q₀^(λ−1), h(ell) = (1 − e^(α ell))/α, ell₀ and q₀ those of the anchor:
///
///   w̃ = q^λ h(ell) − q·ω₀ = (q^λ − q·g)·h(ell) + q·g·(h(ell) − h(ell₀))
///      = [(q^λ − q·g) − (p^α q^β − q·g·e^(α ell₀))]/α
///
/// The second is for small α ell, the third for others; their differences are products with expm1
/// where they would cancel. Where q is not near q₀ the first cancels least.
template <class V, class R>
class anchored_slope {
 public:
  /// Whether a row of these student's probabilities may have such classes: few of them matter, or
  /// λ is so near 1 that q^λ says little.
  DIVOT_HD static bool pays(math::row_probability<R> const& q, double lambda_less_1) {
    if constexpr (!is_real<scalar_of<V>> || std::is_same_v<scalar_of<V>, long double>) {
      return false;
    } else if constexpr (lane_traits<R>::is_pack) {
      return true;
    } else {
      return std::abs(lambda_less_1) < .05 || q.log_z < R(3);
    }
  }

  anchored_slope() = default;
  DIVOT_HD anchored_slope(parameter const& alpha, parameter const& per_alpha, double lambda_less_1,
                          math::row_probability<R> const& q, two_words<R> const& anchor)
      : alpha_(alpha.on<V>()),
        per_alpha_(per_alpha.on<V>()),
        max_(spread<V>(q.max)),
        rate_(spread<V>(R(q.rate * constant<R>(lambda_less_1)))) {
    auto const at_anchor = anchor_power(alpha.wide, anchor);
    R const exponent = at_anchor.exponent;
    // out of range there is no gauge; where p is far below q at the anchor, ell₀ may be none
    auto const gauged = exponent < constant<R>(60);
    R const a_ell = math::min(exponent, constant<R>(60));
    R const g = math::exp(R(constant<R>(-lambda_less_1) * q.log_z));
    R const growth = at_anchor.value;
    R const h = math::select(is_near(a_ell), R(anchor.high * math::minus_expm1_ratio(a_ell)),
                             R((R(1) - growth) * constant<R>(per_alpha.wide)));
    R const zero(0), bound = constant<R>(near_bound * near_bound);
    gauge_ = spread<V>(g);
    mixed_gauge_ = spread<V>(R(g * growth));
    slope_taken_ = math::select(gauged, R(g * h), zero);
    omega_ = spread<V>(slope_taken_);
    slope_taken_ = math::abs(slope_taken_);
    near_ = spread<V>(math::select(gauged, bound, zero));
    both_near_ = spread<V>(math::select(gauged && exponent > constant<R>(-60), bound, zero));
  }

  /// From q^λ and p^α q^β.
  DIVOT_INLINE V operator()(class_point<V> const& x, V const& own, V const& mixed) const {
    V const a_ell = alpha_ * x.ell, y = log_of_gauges(x);
    auto const near_ell = is_near(a_ell);
    V const h = x.ell * math::minus_expm1_ratio(a_ell);
    V const far = per_alpha_ * math::select(near_ell, V(0), mixed);
    V const factor = math::select(near_ell, h, per_alpha_);
    V const plain = math::fnma(x.q, omega_, math::fms(own, factor, far));

    // α times the difference of ell, or that of log(p^α q^(β−1))
    V const a_relative = alpha_ * x.relative;
    V const z = math::select(near_ell, a_relative, V(a_relative + y));
    auto const near_y = y * y < near_, near_z = z * z < both_near_;
    V const per_z = math::select(near_ell, x.relative, V(z * per_alpha_));
    V const q_mixed = x.q * mixed_gauge_;
    V const rest = math::select(near_z, V(q_mixed * V(per_z * math::minus_expm1_ratio(z))),
                                V(per_alpha_ * V(q_mixed - mixed)));
    V const close = math::fma(excess(x, y), factor, rest);
    return math::select(near_y && (near_z || !near_ell), close, plain);
  }
  /// The limit as p → 0, for α > 0, from q^λ.
  DIVOT_HD V at_zero_p(class_point<V> const& x, V const& own) const {
    V const y = log_of_gauges(x);
    V const close = math::fma(x.q, mixed_gauge_, excess(x, y)) / alpha_;
    return math::select(y * y < near_, close, math::fnma(x.q, omega_, V(own / alpha_)));
  }
  DIVOT_HD R slope_taken() const { return slope_taken_; }
  /// What is added to ω.
  DIVOT_HD V shift() const { return V(-omega_); }

 private:
  /// (λ−1)·log(q/q₀).
  DIVOT_INLINE V log_of_gauges(class_point<V> const& x) const { return (x.x_q - max_) * rate_; }
  /// q^λ − q·g where that is small.
  DIVOT_INLINE V excess(class_point<V> const& x, V const& y) const {
    return V(x.q * gauge_ * V(y * -math::minus_expm1_ratio(y)));
  }

  V alpha_, per_alpha_, max_, rate_;
  V gauge_, mixed_gauge_;  // g and g·e^(α ell₀)
  V omega_;                // ω₀
  V near_, both_near_;     // below these y² and z² are near
  R slope_taken_ = R(0);   // |ω₀|
};

}  // namespace DIVOT_ABI
}  // namespace divot
