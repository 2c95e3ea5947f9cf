// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/team/avx512.hpp>

#include <xsimd/xsimd.hpp>

#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// What lane_traits of a pack has to do with exponents: integers as numbers, powers of two, and
/// numbers split into mantissa and exponent.
template <class T, class A>
struct pack_exponents {
  using V = xsimd::batch<T, A>;
  using mask = typename V::batch_bool_type;
  using bits_scalar = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using bits = xsimd::batch<bits_scalar, A>;
  static constexpr bool single = std::is_same_v<T, float>;
  // added and taken away again, it leaves the nearest integer
  static constexpr T rounder = single ? T(12582912.) : T(6755399441055744.);
#if defined(__AVX512F__)
  static constexpr bool wide = sizeof(V) == 64;
  using lane_bits = std::conditional_t<single, __mmask16, __mmask8>;
  static constexpr auto every = static_cast<lane_bits>(-1);
#endif

  static DIVOT_INLINE bits to_bits(V const& x) {
#if XSIMD_VERSION_MAJOR < 9
    return xsimd::bitwise_cast<bits>(x);
#else
    return xsimd::bitwise_cast<bits_scalar>(x);
#endif
  }
  static DIVOT_INLINE V from_bits(bits const& x) {
#if XSIMD_VERSION_MAJOR < 9
    return xsimd::bitwise_cast<V>(x);
#else
    return xsimd::bitwise_cast<T>(x);
#endif
  }

  /// The nearest integer, for |x| < 2^22 (float) or 2^51 (double).
  static DIVOT_INLINE V round(V const& x) {
    V const magic(rounder);
    return (x + magic) - magic;
  }
  /// 2^n for an integer n within the exponent range; 0 at n = −127 (float) and −1023 (double).
  static DIVOT_INLINE V power_of_two(V const& n) {
    V const shifted = n + V(single ? T(12582912. + 127.) : T(6755399441055744. + 1023.));
    return from_bits(to_bits(shifted) << (single ? 23 : 52));
  }

  /// x, and 0 in the lanes where `gone`. One instruction; a blend takes some processors three.
  static DIVOT_INLINE V zero_where(mask const& gone, V const& x) {
#if defined(__AVX__) && !defined(__AVX512F__)
    if constexpr (sizeof(V) == 32 && single) {
      return V(_mm256_andnot_ps(gone, x));
    } else if constexpr (sizeof(V) == 32) {
      return V(_mm256_andnot_pd(gone, x));
    } else
#endif
    {
      return xsimd::select(gone, V(T(0)), x);
    }
  }

  /// x·2^n for an integer n, right through gradual underflow and overflow.
  static DIVOT_INLINE V scale2(V const& x, V const& n) {
    DIVOT_AVX512(maskz_scalef, every, x, n)
    V const half = round(n * V(T(.5)));
    return (x * power_of_two(half)) * power_of_two(n - half);
  }

  /// x·2^n for x near 1 and an integer n, overflow being +inf; 0 in the lanes where `gone`, which
  /// are all where the result would not be normal: no processor then stumbles over a subnormal.
  static DIVOT_INLINE V scale2_unless(mask const& gone, V const& x, V const& n) {
    DIVOT_AVX512(maskz_scalef, static_cast<lane_bits>(~typename mask::register_type(gone)), x, n)
    // one power of two reaches to the end of the range and the other beyond
    V const most(single ? T(127.) : T(1023.));
    V const first = xsimd::min(most, n);
    return zero_where(gone, (x * power_of_two(first)) * power_of_two(xsimd::min(most, n - first)));
  }
  /// The same where n ≤ 0.
  static DIVOT_INLINE V scale2_down_unless(mask const& gone, V const& x, V const& n) {
    DIVOT_AVX512(maskz_scalef, static_cast<lane_bits>(~typename mask::register_type(gone)), x, n)
    return zero_where(gone, x * power_of_two(n));
  }

  /// x = mantissa·2^exponent with the mantissa in [√½, √2), for x > 0, subnormal too.
  static DIVOT_INLINE std::pair<V, V> split(V const& x) {
    auto [mantissa, exponent] = split_binary(x);
    auto const upper = mantissa >= V(T(1.4142135623730950488));
    return {xsimd::select(upper, mantissa * V(T(.5)), mantissa),
            xsimd::select(upper, exponent + V(T(1)), exponent)};
  }

 private:
  /// The same with the mantissa in [1, 2).
  static DIVOT_INLINE std::pair<V, V> split_binary(V const& x) {
#if defined(__AVX512F__)
    if constexpr (wide && single) {
      return {V(_mm512_maskz_getmant_ps(every, x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero)),
              V(_mm512_maskz_getexp_ps(every, x))};
    } else if constexpr (wide) {
      return {V(_mm512_maskz_getmant_pd(every, x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero)),
              V(_mm512_maskz_getexp_pd(every, x))};
    } else
#endif
    {
      auto const tiny = x < V(std::numeric_limits<T>::min());
      V const lift(single ? T(16777216.) : T(18014398509481984.));
      bits const b = to_bits(xsimd::select(tiny, x * lift, x));
      // the biased exponent as a number: put it into the low bits of 2^23 (2^52)
      constexpr bits_scalar anchor =
          single ? bits_scalar(0x4B000000) : static_cast<bits_scalar>(0x4330000000000000LL);
      constexpr bits_scalar fraction =
          single ? bits_scalar(0x007FFFFF) : static_cast<bits_scalar>(0x000FFFFFFFFFFFFFLL);
      constexpr bits_scalar one =
          single ? bits_scalar(0x3F800000) : static_cast<bits_scalar>(0x3FF0000000000000LL);
      V const exponent = from_bits((b >> (single ? 23 : 52)) | bits(anchor)) -
                         V(single ? T(8388608. + 127.) : T(4503599627370496. + 1023.));
      return {from_bits((b & bits(fraction)) | bits(one)),
              xsimd::select(tiny, exponent - V(single ? T(24) : T(54)), exponent)};
    }
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
