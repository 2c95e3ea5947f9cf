// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/exact.hpp>
#include <divot/core/log_words.hpp>

#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

namespace math {

inline constexpr double log2_e = 1.4426950408889634074, log2_e_low = 2.0355273740931033e-17;

/// log₂e in two words.
template <class R>
two_words<R> log2_e_words() {
  using scalar = scalar_of<R>;
  return {constant<R>(log2_e),
          constant<R>(log2_e - static_cast<double>(static_cast<scalar>(log2_e)) + log2_e_low)};
}
/// c·log₂e in two words, for a positive c that was rounded by c_low.
template <class R>
two_words<R> times_log2_e(R const& c, R const& c_low) {
  auto const factor = log2_e_words<R>();
  auto const y = exact_product(c, factor.high);
  R const low = y.low + (c_low * factor.high + c * factor.low);
  R const high = y.high + low;
  return {high, R((y.high - high) + low)};
}

/// e^((x − m)·c − z) for x ≤ m, z ≥ 0 and a positive constant c, all settled once a row; and the
/// logarithm of that.
///
/// The workhorse of every softmax. In base 2, with c·log₂e and m·c·log₂e in two words: the error
/// does not grow with |x − m|, as it would if the difference or the product were rounded first.
/// No overflow is possible; exactly 0 where the result would leave the normal range (subnormal
/// numbers cost some processors a hundred cycles each); exactly 1 at x = m where z = 0.
template <class V, class R>
class shifted_exp {
 public:
  using scalar = scalar_of<V>;

  shifted_exp() = default;
  /// c_low: what c was rounded by.
  shifted_exp(R const& m, R const& c, R const& c_low = R(0), R const& z = R(0)) {
    if constexpr (lane_traits<V>::is_pack) {
      constexpr bool single = std::is_same_v<scalar, float>;
      auto const rate = times_log2_e(c, c_low);
      narrow(rate.high, rate.low, high_, low_);
      auto const factor = log2_e_words<R>();
      // (m·c + z)·log₂e = grid + rest, the first on so coarse a grid that an integer adds to it
      // exactly
      auto const by_max = exact_product(m, rate.high), by_z = exact_product(z, factor.high);
      auto const shift = exact_difference(by_max.high, R(-by_z.high));
      R const shift_low = (shift.low + z * factor.low) + (by_z.low + (by_max.low + m * rate.low));
      V shift_high, shift_rest;
      narrow(shift.high, shift_low, shift_high, shift_rest);
      V const grid = constant<V>(single ? 768. : 6144.);
      grid_ = (shift_high + grid) - grid;
      rest_ = (shift_high - grid_) + shift_rest;
      // below it the result is 0; where c itself has underflowed, that is −inf alone
      floor_ = math::select(high_ > V(0), V((grid_ - constant<V>(single ? 126. : 1022.)) / high_),
                            V(std::numeric_limits<scalar>::lowest()));
    } else {
      m_ = m;
      c_ = c;
      z_ = z;
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
      return step_exp2_unless(x < floor_, part, rounded);
    } else {
      // float rows are worked out in double
      return V(math::exp(R((R(x) - m_) * c_ - z_)));
    }
  }
  /// (x − m)·c − z for finite x.
  DIVOT_INLINE log_words<V> logarithm(V const& x) const {
    if constexpr (!lane_traits<V>::is_pack) {
      return {(R(x) - m_) * c_ - z_};
    } else if constexpr (lane_traits<V>::fused) {
      V const n = lane_traits<V>::round(math::fms(x, high_, grid_));
      return {n, math::fms(x, high_, V(n + grid_)) + math::fms(x, low_, rest_)};
    } else {
      auto const y = exact_product(x, high_);
      V const n = lane_traits<V>::round(y.high - grid_);
      return {n, (y.high - (n + grid_)) + (y.low + (x * low_ - rest_))};
    }
  }

 private:
  /// A row's two words as two lane words.
  static void narrow(R const& a, R const& b, V& high, V& low) {
    if constexpr (std::is_same_v<R, V>) {
      high = a + b;
      low = (a - high) + b;
    } else {
      high = V(static_cast<scalar>(a));
      low = V(static_cast<scalar>((a - static_cast<R>(static_cast<scalar>(a))) + b));
    }
  }

  V high_, low_, grid_, rest_, floor_;
  R m_, c_, z_;
};

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
