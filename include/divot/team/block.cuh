// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/team/lockstep.hpp>

#include <cstddef>
#include <cstring>

namespace divot {
inline namespace DIVOT_ABI {

/// The threads of a CUDA block as a group of `lockstep_team`: packs go round the threads.
///
/// Sums are trees: by shuffles over a warp, halves added to halves, then warp after warp, on every
/// thread. Blocks have whole warps, 32 of them at most.
struct block_group {
#if defined(__CUDA_ARCH__)
  static __device__ thread_share share(index packs) {
    return {static_cast<index>(threadIdx.x), packs, static_cast<index>(blockDim.x)};
  }
  static __device__ bool owns(index pack) {
    return pack % static_cast<index>(blockDim.x) == static_cast<index>(threadIdx.x);
  }
  static __device__ void barrier() { __syncthreads(); }
  template <class R>
  static __device__ R of_owner(R const* x, bool) {
    return *x;
  }

  static __device__ double sum(double x) {
    return over_warps(x, [](double a, double b) { return a + b; });
  }
  template <class R>
  static __device__ R largest(R x) {
    return over_warps(x, [](R a, R b) { return a > b ? a : b; });
  }
  template <class R>
  static __device__ R smallest(R x) {
    return over_warps(x, [](R a, R b) { return a < b ? a : b; });
  }

  /// op over all threads, to all threads.
  template <class R, class Op>
  static __noinline__ __device__ R over_warps(R x, Op const& op) {
    static_assert(sizeof(R) <= 8);
    for (unsigned half = 16; half > 0; half /= 2) {
      x = op(x, __shfl_down_sync(0xffffffffu, x, half));
    }
    unsigned const warps = blockDim.x / 32;
    if (warps == 1) return __shfl_sync(0xffffffffu, x, 0);
    __shared__ double slots[32];
    R* const of_warp = reinterpret_cast<R*>(slots);
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
    __syncthreads();
    R all = of_warp[0];
    for (unsigned w = 1; w < warps; ++w) all = op(all, of_warp[w]);
    __syncthreads();  // before the next sum writes
    return all;
  }
#else
  // for the compiler's pass over the host's code, which does not run them
  static DIVOT_HD thread_share share(index packs) { return {0, packs, 1}; }
  static DIVOT_HD bool owns(index) { return true; }
  static DIVOT_HD void barrier() {}
  template <class R>
  static DIVOT_HD R of_owner(R const* x, bool) {
    return *x;
  }
  static DIVOT_HD double sum(double x) { return x; }
  template <class R>
  static DIVOT_HD R largest(R x) {
    return x;
  }
  template <class R>
  static DIVOT_HD R smallest(R x) {
    return x;
  }
#endif
};

}  // namespace DIVOT_ABI
}  // namespace divot
