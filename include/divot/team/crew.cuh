// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/team/block.cuh>

#include <cooperative_groups.h>

namespace divot {
inline namespace DIVOT_ABI {

#if defined(__CUDA_ARCH__)

/// All threads of a block, or of a cluster of blocks where it is launched as one, as a group that
/// shares out items of any kind: they go round all threads. Clusters need compute capability 9.0.
struct crew_group : reductions<crew_group> {
  static __device__ thread_share share(index items) {
    return {rank() * static_cast<index>(blockDim.x) + static_cast<index>(threadIdx.x), items,
            blocks() * static_cast<index>(blockDim.x)};
  }
  static __device__ bool owns(index item) {
    thread_share const mine = share(0);
    return item % mine.step == mine.begin;
  }
#if __CUDA_ARCH__ >= 900
  static __device__ index rank() {
    return static_cast<index>(cooperative_groups::this_cluster().block_rank());
  }
  static __device__ index blocks() {
    return static_cast<index>(cooperative_groups::this_cluster().num_blocks());
  }
  static __device__ void barrier() {
    if (blocks() == 1) {
      __syncthreads();
    } else {
      cooperative_groups::this_cluster().sync();
    }
  }
  /// Block after block, each read from its own shared memory.
  template <class R, class Op>
  static __noinline__ __device__ R over(R x, Op const& op) {
    __shared__ double slot;
    x = block_group::over(x, op);
    auto const cluster = cooperative_groups::this_cluster();
    if (cluster.num_blocks() == 1) return x;
    R* const own = reinterpret_cast<R*>(&slot);
    if (threadIdx.x == 0) *own = x;
    cluster.sync();
    R all = *cluster.map_shared_rank(own, 0);
    for (unsigned b = 1; b < cluster.num_blocks(); ++b) {
      all = op(all, *cluster.map_shared_rank(own, b));
    }
    cluster.sync();  // before the next sum writes
    return all;
  }
#else
  static __device__ index rank() { return 0; }
  static __device__ index blocks() { return 1; }
  static __device__ void barrier() { __syncthreads(); }
  template <class R, class Op>
  static __device__ R over(R x, Op const& op) {
    return block_group::over(x, op);
  }
#endif
};

/// The threads of a warp as a group: 32, whatever else their block does.
struct warp_group : reductions<warp_group> {
  static __device__ thread_share share(index items) {
    return {static_cast<index>(threadIdx.x % 32), items, 32};
  }
  static __device__ bool owns(index item) {
    return item % 32 == static_cast<index>(threadIdx.x % 32);
  }
  static __device__ void barrier() { __syncwarp(); }
  template <class R, class Op>
  static __device__ R over(R x, Op const& op) {
    static_assert(sizeof(R) <= 8);
    for (unsigned half = 16; half > 0; half /= 2) {
      x = op(x, __shfl_down_sync(0xffffffffu, x, half));
    }
    return __shfl_sync(0xffffffffu, x, 0);
  }
};

#else
struct crew_group : absent_group {
  static DIVOT_HD index rank() { return 0; }
  static DIVOT_HD index blocks() { return 1; }
};
struct warp_group : absent_group {};
#endif

}  // namespace DIVOT_ABI
}  // namespace divot
