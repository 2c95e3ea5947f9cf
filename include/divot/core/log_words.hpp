// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/parameter.hpp>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// The logarithm of a probability with digits beyond those of V, so that powers of it keep V's: a
/// rounded logarithm of size 60 costs a float 60 of its ulps.
///
/// A float is accompanied by a double, other scalars stay as they are.
template <class V>
struct log_words {
  using number = std::conditional_t<std::is_same_v<V, float>, double, V>;
  number natural;

  /// The logarithm of 1 where `gone`.
  log_words unless(bool gone) const { return gone ? log_words{number(0)} : *this; }
};

/// On packs an integer and the rest, in base 2.
template <class V>
requires(lane_traits<V>::is_pack) struct log_words<V> {
  V whole, part;  // |part| ≤ ½ or so

  DIVOT_INLINE log_words unless(mask_of<V> const& gone) const {
    return {math::select(gone, V(0), whole), math::select(gone, V(0), part)};
  }
};

/// p^a·q^b from the logarithms of p and q: to 2 ulps for exponents up to 1 and log₂ up to 1024 in
/// size, to 5 for exponents up to 4 (with a fused multiply-add).
class power_product {
 public:
  power_product() = default;
  power_product(double a, double b) {
    double const scale = std::max(std::abs(a), std::abs(b));
    a_ = exponent(a, scale);
    b_ = exponent(b, scale);
  }

  template <class V>
  DIVOT_INLINE V of(log_words<V> const& p, log_words<V> const& q) const {
    if constexpr (lane_traits<V>::is_pack) {
      // the leading words add up exactly: an integer of 10 bits times a factor of 12 (40) bits
      V high, low;
      if (b_.is_zero) {
        high = a_.high.on<V>() * p.whole;
        low = math::fma(a_.low.on<V>(), p.whole, V(a_.all.on<V>() * p.part));
      } else if (a_.is_zero) {
        high = b_.high.on<V>() * q.whole;
        low = math::fma(b_.low.on<V>(), q.whole, V(b_.all.on<V>() * q.part));
      } else {
        high = math::fma(a_.high.on<V>(), p.whole, V(b_.high.on<V>() * q.whole));
        low = math::fma(a_.low.on<V>(), p.whole, V(a_.all.on<V>() * p.part)) +
              math::fma(b_.low.on<V>(), q.whole, V(b_.all.on<V>() * q.part));
      }
      return math::exp2(high, low);
    } else {
      using number = typename log_words<V>::number;
      return V(
          math::exp(number(number(a_.all.wide) * p.natural + number(b_.all.wide) * q.natural)));
    }
  }

 private:
  struct exponent {
    parameter all, high, low;
    bool is_zero = true;

    exponent() = default;
    exponent(double x, double scale) : all(x), is_zero(x == 0) {
      high.wide = leading(x, scale, 40);
      low.wide = x - high.wide;
      high.narrow = static_cast<float>(leading(x, scale, 12));
      low.narrow = static_cast<float>(x - static_cast<double>(high.narrow));
    }
    /// The multiple of scale·2^−bits (rounded to a power of two) nearest to x.
    static double leading(double x, double scale, int bits) {
      if (!(scale > 0)) return x;
      int const grid = std::ilogb(scale) + 1 - bits;
      return std::scalbn(std::nearbyint(std::scalbn(x, -grid)), grid);
    }
  };

  exponent a_, b_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
