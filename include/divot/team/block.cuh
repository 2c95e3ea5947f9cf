// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/team/lockstep.hpp>

#include <cstddef>

namespace divot {
inline namespace DIVOT_ABI {

/// What a group of device threads is in the compiler's passes that do not run it: the host's, and
/// those for devices that lack it.
struct absent_group {
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
};

#if defined(__CUDA_ARCH__)

/// Sums of a group that offers over(x, op): op over all threads' x in a fixed tree, to all of them.
template <class Group>
struct reductions {
  static __device__ double sum(double x) {
    return Group::over(x, [](double a, double b) { return a + b; });
  }
  template <class R>
  static __device__ R largest(R x) {
    return Group::over(x, [](R a, R b) { return a > b ? a : b; });
  }
  template <class R>
  static __device__ R smallest(R x) {
    return Group::over(x, [](R a, R b) { return a < b ? a : b; });
  }
};

/// The threads of a CUDA block as a group of `lockstep_team`: packs go round the threads.
///
/// Sums are trees: by shuffles over a warp, halves added to halves, then warp after warp, on every
/// thread. Blocks have whole warps, 32 of them at most.
struct block_group : reductions<block_group> {
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
  /// A function of its own: rows have a score of sums.
  template <class R, class Op>
  static __noinline__ __device__ R over(R x, Op const& op) {
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
};

#else
struct block_group : absent_group {};
#endif

}  // namespace DIVOT_ABI
}  // namespace divot
