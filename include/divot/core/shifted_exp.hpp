// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/step_exp.hpp>

#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

namespace math {

/// log₂e in two words.
template <class R>
DIVOT_HD two_words<R> log2_e() {
  using scalar = scalar_of<R>;
  constexpr double high = 1.4426950408889634074, low = 2.0355273740931033e-17;
  return {constant<R>(high),
          constant<R>(high - static_cast<double>(static_cast<scalar>(high)) + low)};
}

/// The probabilities of a row: p = e^((x − max)·rate − log_z) of an element x, a positive rate =
/// 1/T that was rounded by rate_low.
template <class R>
struct row_probability {
  R max, rate, rate_low = R(0), log_z = R(0);

  /// The factor r and the offset o of log₂ p = x·r − o.
  DIVOT_HD two_words<R> binary_rate() const { return product({rate, rate_low}, log2_e<R>()); }
  DIVOT_HD two_words<R> binary_offset() const {
    auto const r = binary_rate();
    auto const by_max = exact_product(max, r.high);
    auto const by_z = exact_product(log_z, log2_e<R>().high);
    auto const sum = exact_difference(by_max.high, R(-by_z.high));
    return {sum.high,
            R((sum.low + log_z * log2_e<R>().low) + (by_z.low + (by_max.low + max * r.low)))};
  }
  /// log p.
  DIVOT_HD R logarithm(R const& x) const { return R((x - max) * rate - log_z); }
};

/// p of a row's elements x ≤ max, for log_z ≥ 0.
///
/// In base 2, with the rate and the offset in two words: the error does not grow with |x − max|, as
/// it would if the difference or the product were rounded first. No overflow is possible; exactly 0
/// below the normal range or so (subnormal numbers cost some processors a hundred cycles each);
/// exactly 1 at x = max where log_z = 0. Of NaN: 0.
template <class V, class R>
class shifted_exp {
 public:
  using scalar = scalar_of<V>;

  DIVOT_HD explicit shifted_exp(row_probability<R> const& p) {
    if constexpr (lane_traits<V>::is_pack) {
      auto const rate = p.binary_rate(), offset = p.binary_offset();
      auto const factor = lane_words<V>(rate.high, rate.low);
      high_ = factor.high;
      low_ = factor.low;
      // the offset is grid + rest, the first on so coarse a grid that an integer adds to it exactly
      auto const shift = lane_words<V>(offset.high, offset.low);
      V const grid = constant<V>(std::is_same_v<scalar, float> ? 768. : 6144.);
      grid_ = (shift.high + grid) - grid;
      rest_ = (shift.high - grid_) + shift.low;
    } else {
      p_ = p;
    }
  }

  DIVOT_INLINE V operator()(V const& x) const {
    if constexpr (lane_traits<V>::is_pack) {
      V const rounder(lane_traits<V>::step_rounder);
      V rounded, part;
      if constexpr (lane_traits<V>::fused) {
        rounded = math::fms(x, high_, grid_) + rounder;
        part = math::fms(x, high_, V((rounded - rounder) + grid_)) + math::fms(x, low_, rest_);
      } else {
        auto const y = exact_product(x, high_);
        rounded = (y.high - grid_) + rounder;
        part = (y.high - ((rounded - rounder) + grid_)) + (y.low + (x * low_ - rest_));
      }
      // the normal range less half a step; −inf times a rate that has underflowed is no step at all
      constexpr bool single = std::is_same_v<scalar, float>;
      V const least(lane_traits<V>::step_rounder - (single ? scalar(126) : scalar(1022)));
      return step_exp2_unless(lane_traits<V>::opposite(rounded > least), part, rounded);
    } else {
      // float rows are worked out in double
      return V(math::exp(p_.logarithm(R(x))));
    }
  }

 private:
  V high_, low_, grid_, rest_;
  row_probability<R> p_;
};

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
