// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/slope_sum.hpp>
#include <divot/team/xsimd_lanes.hpp>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cmath>
#include <cstdint>

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
#if defined(__AVX512F__)
  DIVOT_INLINE void add(ground::l1, weight w, V const& x, V const& y) {
    __m512i const a = _mm512_castps_si512(x), b = _mm512_castps_si512(y),
                  all = _mm512_set1_epi32(w);
    sum = _mm512_mask_add_epi32(sum, _mm512_cmpgt_epi32_mask(a, b), sum, all);
    sum = _mm512_mask_sub_epi32(sum, _mm512_cmplt_epi32_mask(a, b), sum, all);
  }
  DIVOT_INLINE V value(float total) const {
    return V(_mm512_maskz_cvtepi32_ps(static_cast<__mmask16>(-1), sum)) * V(0x1p-30f) * V(total);
  }

  __m512i sum = _mm512_setzero_si512();
#else
  DIVOT_INLINE void add(ground::l1, weight w, V const& x, V const& y) {
    __m256i const d = _mm256_sub_epi32(_mm256_castps_si256(x), _mm256_castps_si256(y));
    sum = _mm256_add_epi32(sum, _mm256_sign_epi32(_mm256_set1_epi32(w), d));
  }
  DIVOT_INLINE V value(float total) const {
    return V(_mm256_cvtepi32_ps(sum)) * V(0x1p-30f) * V(total);
  }

  __m256i sum = _mm256_setzero_si256();
#endif
};
#endif

}  // namespace DIVOT_ABI
}  // namespace divot
