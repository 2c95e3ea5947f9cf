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
  template <combine..., std::size_t N>
  static DIVOT_HD several<N> all(several<N> const& x) {
    return x;
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

/// Of one number a thread, where Group::all reduces several.
template <class Group>
struct reductions {
  static __device__ double sum(double x) { return one<combine::sum>(x); }
  template <class R>
  static __device__ R largest(R x) {
    return static_cast<R>(one<combine::largest>(static_cast<double>(x)));
  }
  template <class R>
  static __device__ R smallest(R x) {
    return static_cast<R>(one<combine::smallest>(static_cast<double>(x)));
  }

 private:
  template <combine How>
  static __device__ double one(double x) {
    return Group::template all<How>(several<1>{{x}}).each[0];
  }
};

/// Over a warp, halves added to halves; to its first thread.
template <combine... How, std::size_t N>
__device__ several<N> reduced_by_warp(several<N> x) {
  for (unsigned half = 16; half > 0; half /= 2) {
    several<N> other;
    for (std::size_t i = 0; i < N; ++i) {
      other.each[i] = __shfl_down_sync(0xffffffffu, x.each[i], half);
    }
    x = several<N>::template joined<How...>(x, other);
  }
  return x;
}
/// What its first thread has, to all of a warp.
template <std::size_t N>
__device__ several<N> told_to_warp(several<N> x) {
  for (double& one : x.each) one = __shfl_sync(0xffffffffu, one, 0);
  return x;
}

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
  /// Several numbers at once. A function of its own: rows have a number of sums.
  template <combine... How, std::size_t N>
  static __noinline__ __device__ several<N> all(several<N> x) {
    static_assert(N == sizeof...(How) && N <= most_at_once);
    x = reduced_by_warp<How...>(x);
    unsigned const warps = blockDim.x / 32;
    if (warps == 1) return told_to_warp(x);
    double* const of_warps = slots();
    unsigned const warp = threadIdx.x / 32;
    if (threadIdx.x % 32 == 0) {
      for (std::size_t i = 0; i < N; ++i) of_warps[warp * N + i] = x.each[i];
    }
    __syncthreads();
    several<N> sum;
    for (std::size_t i = 0; i < N; ++i) sum.each[i] = of_warps[i];
    for (unsigned w = 1; w < warps; ++w) {
      several<N> other;
      for (std::size_t i = 0; i < N; ++i) other.each[i] = of_warps[w * N + i];
      sum = several<N>::template joined<How...>(sum, other);
    }
    __syncthreads();  // before the next sum writes
    return sum;
  }

  /// Numbers that are reduced at once, at most.
  static constexpr std::size_t most_at_once = 4;

 private:
  static __device__ double* slots() {
    __shared__ double of_warps[32 * most_at_once];
    return of_warps;
  }
};

#else
struct block_group : absent_group {};
#endif

}  // namespace DIVOT_ABI
}  // namespace divot
