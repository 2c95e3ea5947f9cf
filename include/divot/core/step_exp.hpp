// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/exact.hpp>

#include <type_traits>

/// Exponentials on packs in base 2: 2^(n + part) with n a multiple of a step, 2^−step_bits, that
/// `lane_traits` looks up, and a short polynomial for the rest. n comes as rounded = n +
/// step_rounder, from adding that to a number.
namespace divot {
inline namespace DIVOT_ABI {
namespace math {

/// x·factor to a step of the powers of two, as `lane_traits` rounds it: less what is missing from
/// `shift` to step_rounder.
template <class V>
DIVOT_INLINE V product_step(V const& x, V const& factor, V const& shift) {
  if constexpr (lane_traits<V>::fused) {
    return math::fma(x, factor, shift);
  } else {
    return exact_product(x, factor).high + shift;
  }
}
/// x·factor − whole, of which the first digits cancel.
template <class V>
DIVOT_INLINE V product_rest(V const& x, V const& factor, V const& whole) {
  if constexpr (lane_traits<V>::fused) {
    return math::fms(x, factor, whole);
  } else {
    auto const y = exact_product(x, factor);
    return V((y.high - whole) + y.low);
  }
}

/// 2^part − 1 for what a step of `lane_traits` leaves, |part| ≤ Width·2^−(step_bits + 1), with the
/// power's own rounding added: 2^(n + part) = power + power·growth. Width is a power of two.
template <int Width, class V>
DIVOT_INLINE V step_growth(V const& part, V const& rounded) {
  using traits = lane_traits<V>;
  constexpr int parts = (1 << traits::step_bits) / Width;  // |part| ≤ ½/parts
  static_assert(parts >= 1);
  if constexpr (!std::is_same_v<scalar_of<V>, float>) {
    return part * polynomial(part, coefficients::exp2m1_double);
  } else if constexpr (traits::step_bits == 0) {
    return part * polynomial(part, coefficients::exp2m1_float);
  } else {
    V y;
    if constexpr (parts == 16) {
      y = polynomial(part, coefficients::exp2m1_sixteenths);
    } else if constexpr (parts == 8) {
      y = polynomial(part, coefficients::exp2m1_eighths);
    } else if constexpr (parts == 4) {
      y = polynomial(part, coefficients::exp2m1_quarters);
    } else {
      y = polynomial(part, coefficients::exp2m1_float);
    }
    return math::fma(part, y, traits::step_rest(rounded));
  }
}

/// 2^(n + part) on packs, n = rounded − step_rounder: normal numbers only.
template <class V>
DIVOT_INLINE V step_exp2(V const& part, V const& rounded) {
  V const power = lane_traits<V>::step_power(rounded);
  return math::fma(step_growth<1>(part, rounded), power, power);
}
/// The same; 0 in the lanes where `gone`, which are all where the result would not be normal.
template <class V>
DIVOT_INLINE V step_exp2_unless(mask_of<V> const& gone, V const& part, V const& rounded) {
  return lane_traits<V>::grown_unless(gone, step_growth<1>(part, rounded),
                                      lane_traits<V>::step_power(rounded));
}
/// The same for a part that is so many times as large: 0 where the power of two underflows; it must
/// not overflow.
template <int Width, class V>
DIVOT_INLINE V step_exp2_raised(V const& part, V const& rounded) {
  using traits = lane_traits<V>;
  if constexpr (Width > 1 && traits::step_bits == 0) {
    V const whole = traits::round(part);
    return step_exp2_raised<1>(V(part - whole), V(rounded + whole));
  } else {
    V const power = traits::step_power(traits::raised_step(rounded));
    return math::fma(step_growth<Width>(part, rounded), power, power);
  }
}

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
