// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>

namespace divot {
inline namespace DIVOT_ABI {
namespace math {

/// e^z and 1 − e^z.
template <class V>
struct exp_complement {
  V exponential, complement;
};

/// Both for z ≤ 0, from −inf on, each relatively accurate: what tanh and its derivative are made
/// of.
template <class V>
DIVOT_INLINE exp_complement<V> exp_and_complement(V const& z) {
  if constexpr (lane_traits<V>::is_pack) {
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    // as exp, but for the 1: e^z = s + s·m with s = 2^n
    V const y = math::max(constant<V>(single ? -105. : -747.), z);
    V const n = lane_traits<V>::round(y * constant<V>(1.4426950408889634074));
    V f = math::fma(n, constant<V>(single ? -0.693145751953125 : -0.69314718036912381649), y);
    f = math::fma(n, constant<V>(single ? -1.428606820309417e-6 : -1.9082149292705877e-10), f);
    V const g = f * constant<V>(1.4426950408889634074);
    V m;
    if constexpr (single) {
      m = g * polynomial(g, coefficients::exp2m1_float);
    } else {
      m = g * polynomial(g, coefficients::exp2m1_double);
    }
    V const s = lane_traits<V>::scale2(V(1), n);
    return {math::fma(s, m, s), math::fnma(s, m, V(V(1) - s))};
  } else {
    return {math::exp(z), V(-math::expm1(z))};
  }
}

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
