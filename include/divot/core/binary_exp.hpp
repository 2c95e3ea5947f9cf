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
inline double exact_power_of_two(double n) {
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
/// mantissa, `top(m)`, instead of 1. As accurate. |m·c| up to 1e6 (float) or 1e14 (double).
template <class V>
class binary_exp {
 public:
  using scalar = scalar_of<V>;

  /// c_low: what c was rounded by.
  explicit binary_exp(double c, double c_low = 0) : rate_(times_log2_e(c, c_low)) {}

  /// G.
  double exponent(double m) const { return std::nearbyint(m * rate_.high); }
  /// e^(m·c)·2^−G, in [√½, √2].
  double top(double m) const {
    auto const y = exact_product(m, rate_.high);
    double const part = (y.high - exponent(m)) + (y.low + m * rate_.low);
    return math::exp(part * 0.69314718055994530942);
  }

  /// The function of x.
  class in_units {
   public:
    DIVOT_INLINE V operator()(V const& x) const {
      using traits = lane_traits<V>;
      V n, part;
      if constexpr (traits::fused) {
        V const rounded = math::fma(x, high_, shift_);
        n = rounded - V(traits::rounder);
        part = math::fma(x, low_, math::fms(x, high_, V(rounded - shift_)));
      } else {
        auto const y = exact_product(x, high_);
        V const rounded = y.high + shift_;
        n = rounded - V(traits::rounder);
        part = (y.high - (rounded - shift_)) + (y.low + x * low_);
      }
      return traits::scale2_down_unless(x < floor_, exp2_reduced(part), n);
    }

   private:
    friend binary_exp;
    in_units(two_words<double> const& rate, double exponent)
        : high_(static_cast<scalar>(rate.high)),
          low_(static_cast<scalar>(
              (rate.high - static_cast<double>(static_cast<scalar>(rate.high))) + rate.low)),
          shift_(static_cast<scalar>(lane_traits<V>::rounder - static_cast<scalar>(exponent))) {
      constexpr bool single = std::is_same_v<scalar, float>;
      // below it the result is 0; where c itself has underflowed, that is −inf alone
      double const lowest = (exponent - (single ? 126 : 1022)) / rate.high;
      floor_ = V(
          rate.high > std::numeric_limits<scalar>::min()
              ? static_cast<scalar>(std::max<double>(lowest, std::numeric_limits<scalar>::lowest()))
              : std::numeric_limits<scalar>::lowest());
    }

    V high_, low_, shift_, floor_;
  };
  in_units with(double exponent) const { return in_units(rate_, exponent); }

 private:
  two_words<double> rate_;
};

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
