// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/version.hpp>

// Flags that break the numbers are refused where the compiler shows them. For the rest
// (`#pragma GCC optimize`, an option of another compiler) there is divot::self_test().
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error \
    "divot: -ffast-math (or a part of it) breaks infinities and exact differences: compile this unit without it"
#endif

#if !(defined(__cplusplus) && __cplusplus >= 202002L) && \
    !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L)
#error "divot: C++20 is needed: compile with -std=c++20"
#endif

// Everything that holds code lives in an inline namespace named after the flags that change that
// code, so that units with different flags never share a function. Types that users put into their
// own signatures (policies, losses, options, results, exceptions) live outside it.
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512CD__)
#define DIVOT_ABI_ISA avx512
#elif defined(__AVX512F__)
#define DIVOT_ABI_ISA avx512f
#elif defined(__AVX2__)
#define DIVOT_ABI_ISA avx2
#elif defined(__AVX__)
#define DIVOT_ABI_ISA avx
#elif defined(__SSE4_1__)
#define DIVOT_ABI_ISA sse4
#elif defined(__ARM_NEON)
#define DIVOT_ABI_ISA neon
#else
#define DIVOT_ABI_ISA base
#endif

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define DIVOT_ABI_FMA fma
#else
#define DIVOT_ABI_FMA nofma
#endif

#if defined(__F16C__)
#define DIVOT_ABI_HALF f16c
#else
#define DIVOT_ABI_HALF nof16c
#endif

#if defined(__AVX512BF16__) && defined(__AVX512VL__)
#define DIVOT_ABI_BF16 bf16
#else
#define DIVOT_ABI_BF16 nobf16
#endif

/// 1 where this unit is compiled with OpenMP, so that `divot::omp` exists.
#if defined(_OPENMP)
#define DIVOT_HAS_OPENMP 1
#define DIVOT_ABI_OMP omp
#else
#define DIVOT_HAS_OPENMP 0
#define DIVOT_ABI_OMP serial
#endif

#define DIVOT_JOIN_(a, b, c, d, e) abi_##a##_##b##_##c##_##d##_##e
#define DIVOT_JOIN(a, b, c, d, e) DIVOT_JOIN_(a, b, c, d, e)
#define DIVOT_ABI \
  DIVOT_JOIN(DIVOT_ABI_ISA, DIVOT_ABI_FMA, DIVOT_ABI_HALF, DIVOT_ABI_BF16, DIVOT_ABI_OMP)

/// Marks functions that run on the host and on a CUDA device: what a row is made of.
#if defined(__CUDACC__)
#pragma nv_diag_suppress 20208  // long double is double on a device, which is what is wanted of it
#define DIVOT_HD __host__ __device__
/// Before a function that calls what it is given, which may be the host's alone.
#define DIVOT_CALLS_EITHER _Pragma("nv_exec_check_disable")
#else
#define DIVOT_HD
#define DIVOT_CALLS_EITHER
#endif
/// Constants that those functions take by reference.
#if defined(__CUDA_ARCH__)
#define DIVOT_CONSTANT static __device__ constexpr
#else
#define DIVOT_CONSTANT inline constexpr
#endif

#if defined(_MSC_VER)
#define DIVOT_INLINE DIVOT_HD __forceinline
#define DIVOT_LAMBDA_INLINE
#define DIVOT_COLD
#define DIVOT_NOINLINE __declspec(noinline)
#else
#define DIVOT_INLINE DIVOT_HD inline __attribute__((always_inline))
#define DIVOT_LAMBDA_INLINE __attribute__((always_inline))
/// Rarely run: compiled for size, never inlined.
#define DIVOT_COLD __attribute__((cold, noinline))
/// Large, and called from several places.
#define DIVOT_NOINLINE __attribute__((noinline))
#endif
