// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/shifted_exp.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

namespace math {

/// 2^n for an integer n ≤ 1023; 0 below the normal range.
DIVOT_HD inline double exact_power_of_two(double n) {
  if (!(n >= -1022)) return 0;
  return std::bit_cast<double>(static_cast<std::uint64_t>(static_cast<std::int64_t>(n) + 1023)
                               << 52);
}

/// e^(x·c) on packs V, for a constant c settled once a row, in units of a power of two: what the
/// sums of a softmax are made of. Numbers in different units differ by exactly a power of two.
///
///   e^(x·c)·2^−G,  G the integer nearest to m·c·log₂e for the largest element m
///
/// Cheaper than `shifted_exp` by the integer, which adds to others exactly; m itself has a
/// mantissa, `top(m)`, instead of 1. As accurate. |m·c| up to 1e5 (float) or 1e14 (double).
template <class V>
class binary_exp {
 public:
  using scalar = scalar_of<V>;

  /// c_low: what c was rounded by.
  DIVOT_HD explicit binary_exp(double c, double c_low = 0)
      : rate_(product<double>({c, c_low}, log2_e<double>())) {}

  /// G.
  DIVOT_HD double exponent(double m) const { return std::nearbyint(m * rate_.high); }
  /// e^(m·c)·2^−G, in [√½, √2].
  DIVOT_HD double top(double m) const {
    auto const y = exact_product(m, rate_.high);
    double const part = (y.high - exponent(m)) + (y.low + m * rate_.low);
    return math::exp(part * 0.69314718055994530942);
  }

  /// The function of x.
  class in_units {
   public:
    DIVOT_INLINE V operator()(V const& x) const {
      V const n = step(x);
      return step_exp2_unless(x < floor_, rest(x, n), n);
    }
    /// x·c·log₂e − G to a step of the powers of two, as `lane_traits` rounds it.
    DIVOT_INLINE V step(V const& x) const { return product_step(x, high_, shift_); }
    /// The function of x, whose step is n and whose result is a normal number.
    DIVOT_INLINE V normal(V const& x, V const& n) const { return step_exp2(rest(x, n), n); }
    /// Whether the step's result is sure to be one.
    DIVOT_HD static bool is_normal(scalar step) {
      return step - traits::step_rounder > (std::is_same_v<scalar, float> ? -126 : -1022);
    }
    /// x·c of a step, to within ln 2 steps or so.
    DIVOT_HD double logarithm(scalar step) const {
      double const n = static_cast<double>(step) - static_cast<double>(traits::step_rounder);
      return (n + exponent_) * 0.69314718055994530942;
    }

   private:
    friend binary_exp;
    using traits = lane_traits<V>;
    DIVOT_INLINE V rest(V const& x, V const& n) const {
      return math::fma(x, low_, product_rest(x, high_, V(n - shift_)));
    }
    DIVOT_HD in_units(two_words<double> const& rate, double exponent)
        : high_(static_cast<scalar>(rate.high)),
          low_(static_cast<scalar>(
              (rate.high - static_cast<double>(static_cast<scalar>(rate.high))) + rate.low)),
          exponent_(exponent),
          shift_(static_cast<scalar>(traits::step_rounder - static_cast<scalar>(exponent))) {
      constexpr bool single = std::is_same_v<scalar, float>;
      // below it the result is 0; where c itself has underflowed, that is −inf alone
      double const lowest = (exponent - (single ? 126 : 1022)) / rate.high;
      floor_ = V(
          rate.high > std::numeric_limits<scalar>::min()
              ? static_cast<scalar>(std::max<double>(lowest, std::numeric_limits<scalar>::lowest()))
              : std::numeric_limits<scalar>::lowest());
    }

    V high_, low_;
    double exponent_;
    V shift_, floor_;
  };
  DIVOT_HD in_units with(double exponent) const { return in_units(rate_, exponent); }

 private:
  two_words<double> rate_;
};

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
