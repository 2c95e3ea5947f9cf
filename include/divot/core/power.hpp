// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/exact.hpp>

#include <cmath>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// A power settled once a call: in float arithmetic in two words, because what an exponent is
/// rounded by is multiplied with a logarithm.
struct exponent {
  double wide = 1;
  float high = 1, low = 0;
  int whole = 1;  // the same, if it is one of 0 … 4; else −1

  exponent() = default;
  DIVOT_HD exponent(double x)  // NOLINT: it is that number
      : wide(x),
        high(static_cast<float>(x)),
        low(static_cast<float>(x - double(high))),
        whole(x >= 0 && x <= 4 && x == std::floor(x) ? static_cast<int>(x) : -1) {}

  template <class V>
  DIVOT_INLINE two_words<V> on() const {
    if constexpr (std::is_same_v<scalar_of<V>, float>) {
      return {V(high), V(low)};
    } else {
      return {constant<V>(wide), V(0)};
    }
  }
};

namespace math {

/// x^k for 0 ≤ x ≤ ∞ and k ≥ 0; 0^0 = 1. Error about 1 + k/2 ulp, however far x is from 1.
template <class V>
DIVOT_INLINE V power(V const& x, exponent const& k) {
  if (k.whole >= 0) {
    V product(1);
    for (int i = 0; i < k.whole; ++i) product = V(product * x);
    return product;
  }
  if (k.wide == .5) return math::sqrt(x);
  V const at_zero(0);
  if constexpr (lane_traits<V>::is_pack) {
    using traits = lane_traits<V>;
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    // x = m·2^e: k·e in two words, and k·log₂ m is no larger than k/2
    auto const [m, e] = traits::split(x);
    V const log2_m =
        math::atanh2(math::quotient(V(m - V(1)), V(m + V(1)))) * constant<V>(1.4426950408889634074);
    auto const by = k.on<V>();
    auto const whole = exact_product(e, by.high);
    V const part = math::fma(by.high, log2_m, math::fma(by.low, V(e + log2_m), whole.low));
    // beyond these the scaling by 2^n yields 0 or inf
    V const n = traits::round(
        math::max(constant<V>(single ? -152. : -1078.),
                  math::min(constant<V>(single ? 130. : 1026.), V(whole.high + part))));
    V const rest = math::max(V(-1), math::min(V(1), V((whole.high - n) + part)));
    V const y = traits::scale2(exp2_reduced(rest), n);
    return math::select(x == V(0), at_zero, math::select(x == infinity<V>(), x, y));
  } else if constexpr (is_real<V>) {
    before_library_call();
    using wide = std::conditional_t<std::is_same_v<V, float>, double, V>;
    return static_cast<V>(std::pow(static_cast<wide>(x), static_cast<wide>(k.wide)));
  } else {
    return x == V(0) ? at_zero : V(math::exp(V(V(k.wide) * math::log(x))));
  }
}

/// (1 − x)^k − 1 for 0 ≤ x < 1, relatively accurate; for whole k it is −x Σ_{i<k} (1 − x)^i.
template <class V>
DIVOT_INLINE V power_of_rest_less_1(V const& x, exponent const& k) {
  if (k.whole >= 0) {
    V const rest = V(1) - x;
    V sum(0);
    for (int i = 0; i < k.whole; ++i) sum = math::fma(sum, rest, V(1));
    return V(-(x * sum));
  }
  return math::expm1(V(constant<V>(k.wide) * math::log1p(V(-x))));
}

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
