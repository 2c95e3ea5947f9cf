// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/team/pack_exponents.hpp>

#include <xsimd/xsimd.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// Packs are xsimd batches. This is the one place where xsimd's interface, which differs between
/// versions 8 and 14, is seen.
template <class T, class A>
struct lane_traits<xsimd::batch<T, A>> : pack_exponents<T, A> {
  using V = xsimd::batch<T, A>;
  using scalar = T;
  using mask = typename V::batch_bool_type;
  using register_type = typename V::register_type;
  static constexpr std::size_t size = V::size;
  static constexpr bool is_pack = true;
#if defined(__FMA__) || defined(__AVX512F__) || defined(__ARM_FEATURE_FMA)
  static constexpr bool fused = true;
#else
  static constexpr bool fused = false;
#endif
  using pack_exponents<T, A>::single;
#if defined(__AVX512F__)
  using pack_exponents<T, A>::wide;
  using pack_exponents<T, A>::every;
  using typename pack_exponents<T, A>::lane_bits;
#endif

  static DIVOT_INLINE V select(mask const& m, V const& a, V const& b) {
    return xsimd::select(m, a, b);
  }
  // xsimd's `!` compares with a mask that it puts together lane by lane
  static DIVOT_INLINE mask opposite(mask const& m) { return ~m; }
  static DIVOT_INLINE bool any(mask const& m) { return xsimd::any(m); }
  static DIVOT_INLINE bool all(mask const& m) { return xsimd::all(m); }
  // xsimd 8 has no fused multiply-add of its own for AVX-512
  static DIVOT_INLINE V fma(V const& a, V const& b, V const& c) {
    DIVOT_AVX512(fmadd, a, b, c)
    return xsimd::fma(a, b, c);
  }
  static DIVOT_INLINE V fms(V const& a, V const& b, V const& c) {
    DIVOT_AVX512(fmsub, a, b, c)
    return xsimd::fms(a, b, c);
  }
  static DIVOT_INLINE V fnma(V const& a, V const& b, V const& c) {
    DIVOT_AVX512(fnmadd, a, b, c)
    return xsimd::fnma(a, b, c);
  }
  static DIVOT_INLINE V quotient(V const& a, V const& b) {
#if defined(__AVX512F__)
    if constexpr (wide && single) {
      // 14 bits, one Newton step, and the quotient's own residual
      V const estimate = V(_mm512_maskz_rcp14_ps(every, b));
      V const r = fma(estimate, fma(-b, estimate, V(1.f)), estimate);
      V const q = a * r;
      return fma(r, fma(-b, q, a), q);
    } else
#endif
    {
      return a / b;
    }
  }
  static DIVOT_INLINE V abs(V const& x) { return xsimd::abs(x); }
  // A NaN in b is passed on: xsimd's versions differ in this. Compilers know the narrower packs'
  // instruction by the comparison, the wide ones' not always.
  static DIVOT_INLINE V max(V const& a, V const& b) {
    DIVOT_AVX512(maskz_max, every, a, b)
    register_type const x = a, y = b;
    return V(register_type(x > y ? x : y));
  }
  static DIVOT_INLINE V min(V const& a, V const& b) {
    DIVOT_AVX512(maskz_min, every, a, b)
    register_type const x = a, y = b;
    return V(register_type(x < y ? x : y));
  }
  static DIVOT_INLINE V sqrt(V const& x) {
    DIVOT_AVX512(maskz_sqrt, every, x)
    return xsimd::sqrt(x);
  }

  static DIVOT_INLINE V load(T const* p) { return V::load_unaligned(p); }
  static DIVOT_INLINE void store(T* p, V const& x) { x.store_unaligned(p); }
  /// Whether `stream` may write to p.
  static DIVOT_INLINE bool is_aligned(T const* p) {
    return reinterpret_cast<std::uintptr_t>(p) % sizeof(V) == 0;
  }
  /// Past the caches, where the processor can: memory is then not read before it is written.
  /// `settle_streams` makes other threads see it.
  static DIVOT_INLINE void stream(T* p, V const& x) {
    [[maybe_unused]] register_type const r = x;
#if defined(__AVX512F__)
    if constexpr (wide) {
      _mm512_stream_si512(reinterpret_cast<__m512i*>(p), std::bit_cast<__m512i>(r));
    } else
#endif
#if defined(__AVX__)
        if constexpr (sizeof(V) == 32) {
      _mm256_stream_si256(reinterpret_cast<__m256i*>(p), std::bit_cast<__m256i>(r));
    } else
#endif
#if defined(__SSE2__)
        if constexpr (sizeof(V) == 16) {
      _mm_stream_si128(reinterpret_cast<__m128i*>(p), std::bit_cast<__m128i>(r));
    } else
#endif
    {
      store(p, x);
    }
  }
  static DIVOT_INLINE void settle_streams() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
  }
  // Some of the lanes, one bit each from the lowest; memory of the others is not touched.

  /// `fill` in the other lanes.
  static DIVOT_INLINE V load_some(T const* p, std::uint32_t lanes, T fill) {
    DIVOT_AVX512(mask_loadu, V(fill), static_cast<lane_bits>(lanes), p)
#if defined(__AVX2__)
    if constexpr (half_wide && single) {
      auto const here = all_ones(lanes);
      return V(_mm256_blendv_ps(V(fill), _mm256_maskload_ps(p, here), _mm256_castsi256_ps(here)));
    } else if constexpr (half_wide) {
      auto const here = all_ones(lanes);
      return V(_mm256_blendv_pd(V(fill), _mm256_maskload_pd(p, here), _mm256_castsi256_pd(here)));
    }
#endif
    alignas(64) std::array<T, size> a;
    a.fill(fill);
    for (std::size_t i = 0; i < size; ++i) {
      if ((lanes >> i & 1) != 0) a[i] = p[i];
    }
    return load(a.data());
  }
  static DIVOT_INLINE void store_some(T* p, std::uint32_t lanes, V const& x) {
#if defined(__AVX512F__)
    if constexpr (wide && single) {
      _mm512_mask_storeu_ps(p, static_cast<lane_bits>(lanes), x);
    } else if constexpr (wide) {
      _mm512_mask_storeu_pd(p, static_cast<lane_bits>(lanes), x);
    } else
#elif defined(__AVX2__)
    if constexpr (half_wide && single) {
      _mm256_maskstore_ps(p, all_ones(lanes), x);
    } else if constexpr (half_wide) {
      _mm256_maskstore_pd(p, all_ones(lanes), x);
    } else
#endif
    {
      auto const a = to_array(x);
      for (std::size_t i = 0; i < size; ++i) {
        if ((lanes >> i & 1) != 0) p[i] = a[i];
      }
    }
  }
  /// 0 in the other lanes.
  static DIVOT_INLINE V keep_some(std::uint32_t lanes, V const& x) {
    DIVOT_AVX512(maskz_mov, static_cast<lane_bits>(lanes), x)
    auto a = to_array(x);
    for (std::size_t i = 0; i < size; ++i) {
      if ((lanes >> i & 1) == 0) a[i] = T(0);
    }
    return load(a.data());
  }
  /// Lane i of pack number lines[i] at x; 0 where that is negative.
  static DIVOT_INLINE V of_each_line(T const* x, V const& lines) {
#if defined(__AVX512F__)
    if constexpr (wide && single) {
      __m512i const lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
      __m512i const line = _mm512_maskz_cvttps_epi32(every, lines);
      __m512i const at =
          _mm512_maskz_add_epi32(every, _mm512_maskz_slli_epi32(every, line, 4), lane);
      auto const there = _mm512_cmpge_epi32_mask(line, _mm512_setzero_si512());
      return V(_mm512_mask_i32gather_ps(_mm512_setzero_ps(), there, at, x, sizeof(T)));
    } else
#endif
    {
      auto values = to_array(lines);
      for (std::size_t i = 0; i < size; ++i) {
        auto const line = static_cast<std::ptrdiff_t>(values[i]);
        values[i] = line < 0 ? T(0) : x[static_cast<std::size_t>(line) * size + i];
      }
      return load(values.data());
    }
  }
  static DIVOT_INLINE std::array<T, size> to_array(V const& x) {
    alignas(64) std::array<T, size> a;
    x.store_unaligned(a.data());
    return a;
  }

 private:
#if defined(__AVX2__)
  static constexpr bool half_wide = size * sizeof(T) == 32;
  /// All bits of the elements that have one in `lanes`.
  static DIVOT_INLINE __m256i all_ones(std::uint32_t lanes) {
    __m256i const each =
        single ? _mm256_set_epi32(128, 64, 32, 16, 8, 4, 2, 1) : _mm256_set_epi64x(8, 4, 2, 1);
    if constexpr (single) {
      auto const all = _mm256_set1_epi32(static_cast<int>(lanes));
      return _mm256_cmpeq_epi32(_mm256_and_si256(all, each), each);
    } else {
      auto const all = _mm256_set1_epi64x(static_cast<long long>(lanes));
      return _mm256_cmpeq_epi64(_mm256_and_si256(all, each), each);
    }
  }
#endif
};

/// The widest pack of T that this unit's flags allow.
template <class T>
using pack = xsimd::batch<T>;

}  // namespace DIVOT_ABI
}  // namespace divot
