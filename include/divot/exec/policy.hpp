// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

struct CUstream_st;  // what a cudaStream_t points to

namespace divot {

/// One thread, one class at a time: the oracle. Any scalar type, automatic differentiation too;
/// float sums in double.
struct seq_policy {};
/// One thread, packs of the widest instruction set this unit is compiled for. float and double.
struct simd_policy {};
/// Packs on several threads. Results are those of simd, bit for bit, whatever the number of
/// threads.
struct omp_policy {
  int threads = 0;  ///< 0: what OpenMP would use
  constexpr omp_policy operator()(int how_many) const { return {how_many}; }
};

/// A CUDA device, in the order of a stream: needs <divot/cuda.cuh>, nvcc, and rows in the device's
/// memory. Nothing waits for it: losses go to device memory, too.
struct cuda_policy {
  CUstream_st* stream = nullptr;
  constexpr cuda_policy operator()(CUstream_st* which) const { return {which}; }
};

inline constexpr seq_policy seq{};
inline constexpr simd_policy simd{};
/// `omp` itself, or omp(n) for n threads.
inline constexpr omp_policy omp{};
/// `cuda` itself on the default stream, or cuda(stream).
inline constexpr cuda_policy cuda{};

template <class P>
inline constexpr bool is_policy = false;
template <>
inline constexpr bool is_policy<seq_policy> = true;
template <>
inline constexpr bool is_policy<simd_policy> = true;
template <>
inline constexpr bool is_policy<omp_policy> = true;

/// An execution policy of divot's.
template <class P>
concept execution_policy = is_policy<P>;

}  // namespace divot
