// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/// In a function on packs V of lane_traits: returns what _mm512_NAME_ps or _pd gives where packs
/// are that wide; does nothing elsewhere.
///
/// Intrinsics that have a form with a mask (`maskz_…`) are used in that form even where the mask is
/// full (`every`): GCC 12 takes those without for reading an uninitialised register (GCC bug
/// 105593), and its users would see a hundred warnings.
#if defined(__AVX512F__)
#define DIVOT_AVX512(name, ...)                \
  if constexpr (wide && single) {              \
    return V(_mm512_##name##_ps(__VA_ARGS__)); \
  } else if constexpr (wide) {                 \
    return V(_mm512_##name##_pd(__VA_ARGS__)); \
  }
#else
#define DIVOT_AVX512(name, ...)
#endif
