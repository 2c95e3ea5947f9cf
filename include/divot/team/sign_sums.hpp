// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/slope_sum.hpp>
#include <divot/team/xsimd_lanes.hpp>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

#if defined(__AVX2__)
/// Σ_j w_j sign(x − y_j) of numbers x, y ≥ 0, which are ordered as their bits are: the weights are
/// integers, of which one instruction makes w, 0 or −w and none rounds a sum. They are in units of
/// 2⁻³⁰ Σ|w|, so what each was rounded by is less than what sums of floats would lose.
template <>
struct slope_sum<pack<float>, ground::l1> {
  using V = pack<float>;
  using T = float;
  using weight = std::int32_t;

  static double scale_of(double total) {
    return total > 1e-290 && std::isfinite(total) ? 0x1p30 / total : 0;
  }
  static weight weight_of(double w, double scale) {
    return scale > 0 ? static_cast<weight>(w * scale + (w < 0 ? -.5 : .5)) : 0;
  }

  DIVOT_INLINE void add(ground::l1, weight w, V const& x, V const& y) {
    __m256i const all = _mm256_set1_epi32(w);
    each_half([&](auto h) DIVOT_LAMBDA_INLINE {
      __m256i const d = _mm256_sub_epi32(half<h>(x, eight), half<h>(y, eight));
      sums_[h] = _mm256_add_epi32(sums_[h], _mm256_sign_epi32(all, d));
    });
  }
  DIVOT_INLINE V value(float total) const {
    T values[lane_traits<V>::size];
    each_half([&](auto h) DIVOT_LAMBDA_INLINE {
      _mm256_storeu_ps(values + 8 * h, _mm256_cvtepi32_ps(sums_[h]));
    });
    return lane_traits<V>::load(values) * V(0x1p-30f) * V(total);
  }

 private:
  static constexpr int halves = sizeof(V) / sizeof(__m256i);
  static constexpr std::make_integer_sequence<int, 8> eight{};

  /// The wide packs have no such instruction, and the two that stand for it would take longer than
  /// it does for either half.
  template <class Body>
  static DIVOT_INLINE void each_half(Body const& body) {
    body(std::integral_constant<int, 0>());
    if constexpr (halves == 2) body(std::integral_constant<int, 1>());
  }
  template <int Half, int... I>
  static DIVOT_INLINE __m256i half(V const& x, std::integer_sequence<int, I...>) {
    typename V::register_type const all = x;
    return std::bit_cast<__m256i>(__builtin_shufflevector(all, all, (8 * Half + I)...));
  }

  __m256i sums_[halves] = {};
};
#endif

}  // namespace DIVOT_ABI
}  // namespace divot
