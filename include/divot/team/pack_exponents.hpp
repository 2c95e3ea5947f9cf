// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/team/avx512.hpp>
#include <divot/team/power_table.hpp>

#include <xsimd/xsimd.hpp>

#include <array>
#include <cstddef>
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

  // Exponentials are 2^n·2^part with n a multiple of 2^−step_bits: a register full of powers of two
  // leaves a shorter polynomial for the rest.
#if defined(__AVX512F__)
  static constexpr int step_bits = !single ? 0 : wide ? 4 : sizeof(V) == 32 ? 3 : 0;
#elif defined(__AVX2__)
  static constexpr int step_bits = single && sizeof(V) == 32 ? 3 : 0;
#else
  static constexpr int step_bits = 0;
#endif
  /// Added to a number it leaves the nearest multiple of 2^−step_bits in the low bits.
  static constexpr T step_rounder = rounder / T(1 << step_bits);

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
  /// The number nearest to 2^n for n = rounded − step_rounder within the range of normal numbers.
  static DIVOT_INLINE V step_power(V const& rounded) {
    bits const raised = to_bits(rounded) << ((single ? 23 : 52) - step_bits);
    if constexpr (step_bits == 0) {
      return from_bits(raised + bits(to_bits(V(T(1)))));
    } else {
      return from_bits(raised + to_bits(entry(power_table<step_bits>::table.lowered, rounded)));
    }
  }
  /// What 2^n was rounded by, relative to it; with step_bits > 0.
  static DIVOT_INLINE V step_rest(V const& rounded) {
    return entry(power_table<step_bits>::table.rest, rounded);
  }
  /// `rounded`, or where 2^n underflows the step of which `step_power` is 0. Also for sums below
  /// −step_rounder.
  static DIVOT_INLINE V raised_step(V const& rounded) {
    V const least(step_rounder - (single ? T(127) : T(1023)));
#if defined(__AVX512F__)
    // bits of numbers above 0 are ordered as they are, and integers have pipes to spare
    if constexpr (wide && single) {
      return from_bits(bits(_mm512_maskz_max_epi32(every, to_bits(least), to_bits(rounded))));
    } else if constexpr (wide) {
      return from_bits(bits(_mm512_maskz_max_epi64(every, to_bits(least), to_bits(rounded))));
    } else
#endif
    {
      return xsimd::max(least, rounded);
    }
  }
  /// The lanes' lower ones, for numbers that `step_rounder` was added to: −inf and what has a
  /// negative sum count as lower, in any order.
  static DIVOT_INLINE V lower_step(V const& a, V const& b) {
#if defined(__AVX512F__)
    if constexpr (wide && single) {
      return from_bits(bits(_mm512_maskz_min_epi32(every, to_bits(a), to_bits(b))));
    } else if constexpr (wide) {
      return from_bits(bits(_mm512_maskz_min_epi64(every, to_bits(a), to_bits(b))));
    } else
#endif
    {
      return xsimd::min(a, b);
    }
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

  /// a·b + b, and 0 in the lanes where `gone`.
  static DIVOT_INLINE V grown_unless(mask const& gone, V const& a, V const& b) {
    DIVOT_AVX512(maskz_fmadd, static_cast<lane_bits>(~typename mask::register_type(gone)), a, b, b)
    return zero_where(gone, xsimd::fma(a, b, b));
  }

  /// x = mantissa·2^exponent with the mantissa in [√½, √2), for x > 0, subnormal too.
  static DIVOT_INLINE std::pair<V, V> split(V const& x) {
    auto [mantissa, exponent] = split_binary(x);
    auto const upper = mantissa >= V(T(1.4142135623730950488));
    return {xsimd::select(upper, mantissa * V(T(.5)), mantissa),
            xsimd::select(upper, exponent + V(T(1)), exponent)};
  }

 private:
  /// The entry of a table as wide as a register that the low bits of each lane name.
  template <std::size_t N>
  static DIVOT_INLINE V entry([[maybe_unused]] std::array<float, N> const& table, V const& number) {
#if defined(__AVX512F__)
    if constexpr (N == 16) {
      return V(_mm512_maskz_permutexvar_ps(every, _mm512_castps_si512(number),
                                           _mm512_load_ps(table.data())));
    }
#endif
#if defined(__AVX2__)
    if constexpr (N == 8) {
      return V(_mm256_permutevar8x32_ps(_mm256_load_ps(table.data()), _mm256_castps_si256(number)));
    }
#endif
    return number;
  }

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
