// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace divot {
inline namespace DIVOT_ABI {

/// 16-bit storage to float, exactly.
template <class S>
void widen(S const* from, float* to, index count) {
  index k = 0;
  if constexpr (bits_of<S> == sixteen_bits::bfloat16) {
    for (; k < count; ++k) {
      std::uint16_t b;
      std::memcpy(&b, from + k, sizeof b);
      to[k] = std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16);
    }
  } else {
#if defined(__F16C__)
    for (; k + 8 <= count; k += 8) {
      __m128i const h = _mm_loadu_si128(reinterpret_cast<__m128i const*>(from + k));
      _mm256_storeu_ps(to + k, _mm256_cvtph_ps(h));
    }
#endif
    for (; k < count; ++k) to[k] = static_cast<float>(from[k]);
  }
}

/// float to 16-bit storage, to nearest, ties to even.
template <class S>
void narrow(float const* from, S* to, index count) {
  index k = 0;
  if constexpr (bits_of<S> == sixteen_bits::bfloat16) {
    for (; k < count; ++k) {
      auto const b = std::bit_cast<std::uint32_t>(from[k]);
      std::uint32_t const rounded = (b + 0x7FFFu + ((b >> 16) & 1u)) >> 16;
      // a NaN must not be rounded into an infinity
      bool const nan = (b & 0x7FFFFFFFu) > 0x7F800000u;
      auto const h = static_cast<std::uint16_t>(nan ? 0x7FC0u : rounded);
      std::memcpy(static_cast<void*>(to + k), &h, sizeof h);
    }
  } else {
#if defined(__F16C__)
    for (; k + 8 <= count; k += 8) {
      __m128i const h = _mm256_cvtps_ph(_mm256_loadu_ps(from + k), _MM_FROUND_TO_NEAREST_INT);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + k), h);
    }
#endif
    for (; k < count; ++k) to[k] = static_cast<S>(from[k]);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
