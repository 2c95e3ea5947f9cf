// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/shifted_exp.hpp>

#include <algorithm>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// How far the exponents of powers of p and q go.
struct power_reach {
  double largest = 1;                 // in size, of either
  double growth_p = 0, growth_q = 0;  // negative ones, in size

  DIVOT_HD void join(power_reach const& other) {
    largest = std::max(largest, other.largest);
    growth_p = std::max(growth_p, other.growth_p);
    growth_q = std::max(growth_q, other.growth_q);
  }
};

namespace math {

/// p^a of a row's elements on lanes V, the exponent settled once a row.
///
///   p^a = 2^(x·r − o), with the multiples r and o of log₂e/T and log₂ Z in two words
///
/// To 3 ulps however large the logarithms, for |a·max|/T up to 1e5 (float) or 1e14 (double). What
/// is below 4 times the smallest normal number may be lost in part; what is far below it is 0. It
/// must not overflow.
template <class V, class R>
class probability_power {
 public:
  DIVOT_HD probability_power(row_probability<R> const& p, double a) {
    if constexpr (traits::is_pack) {
      auto const exponent = lane_words<R>(a);
      auto const rate = product(p.binary_rate(), exponent);
      auto const offset = product(p.binary_offset(), exponent);
      auto const r = lane_words<V>(rate.high, rate.low), o = lane_words<V>(offset.high, offset.low);
      high_ = r.high;
      low_ = r.low;
      V const rounder(traits::step_rounder);
      shift_ = rounder - o.high;  // to a step
      rest_ = (o.high - (rounder - shift_)) + o.low;
      // as far as the digits reach: from there on a power that shrinks has long been 0
      V const span = constant<V>(sizeof(scalar_of<V>) == 4 ? 1e5 : 1e14);
      floor_ = math::select(high_ == V(0), V(std::numeric_limits<scalar_of<V>>::lowest()),
                            V((o.high - math::select(high_ > V(0), span, V(-span))) / high_));
    } else {
      p_ = p;
      a_ = a;
    }
  }

  /// The element x, or the one from which on the power is 0.
  DIVOT_INLINE V raised(V const& x) const {
    if constexpr (traits::is_pack) {
      return math::max(x, floor_);
    } else {
      return x;
    }
  }

  /// The power of a raised element.
  DIVOT_INLINE V operator()(V const& x) const {
    if constexpr (traits::is_pack) {
      V const n = product_step(x, high_, shift_);
      // the step leaves half of one, the offset's as much
      return step_exp2_raised<2>(
          V(product_rest(x, high_, V(n - shift_)) + math::fms(x, low_, rest_)), n);
    } else {
      return V(math::exp(logarithm(x)));
    }
  }

 private:
  using traits = lane_traits<V>;
  template <class, class>
  friend class power_product;

  DIVOT_HD R logarithm(V const& x) const { return R(R(a_) * p_.logarithm(R(x))); }

  V high_, low_, shift_, rest_, floor_;
  row_probability<R> p_;
  double a_ = 0;
};

/// The product of a power of p and one of q, as accurate.
template <class V, class R>
class power_product {
 public:
  using factor = probability_power<V, R>;

  DIVOT_HD power_product(factor const& p, factor const& q) : p_(p), q_(q) {
    if constexpr (traits::is_pack) {
      shift_ = p.shift_ + (q.shift_ - V(traits::step_rounder));
      rest_ = p.rest_ + q.rest_;
    }
  }

  /// Of elements raised for each power.
  DIVOT_INLINE V operator()(V const& x, V const& y) const {
    if constexpr (traits::is_pack) {
      V const m = product_step(x, p_.high_, shift_);
      V const n = product_step(y, q_.high_, q_.shift_) - q_.shift_;
      V const rest = product_rest(x, p_.high_, V(m - shift_)) + product_rest(y, q_.high_, n);
      V const low = math::fma(x, p_.low_, math::fms(y, q_.low_, rest_));
      return step_exp2_raised<4>(V(rest + low), V(m + n));
    } else {
      return V(math::exp(R(p_.logarithm(x) + q_.logarithm(y))));
    }
  }

 private:
  using traits = lane_traits<V>;

  factor p_, q_;
  V shift_, rest_;
};

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
