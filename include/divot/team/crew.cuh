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
  template <combine... How, std::size_t N>
  static __noinline__ __device__ several<N> all(several<N> x) {
    __shared__ double of_block[block_group::most_at_once];
    x = block_group::all<How...>(x);
    auto const cluster = cooperative_groups::this_cluster();
    if (cluster.num_blocks() == 1) return x;
    if (threadIdx.x == 0) {
      for (std::size_t i = 0; i < N; ++i) of_block[i] = x.each[i];
    }
    cluster.sync();
    auto const read = [&](unsigned b) {
      double const* const there = cluster.map_shared_rank(&of_block[0], b);
      several<N> from;
      for (std::size_t i = 0; i < N; ++i) from.each[i] = there[i];
      return from;
    };
    several<N> sum = read(0);
    for (unsigned b = 1; b < cluster.num_blocks(); ++b) {
      sum = several<N>::template joined<How...>(sum, read(b));
    }
    cluster.sync();  // before the next sum writes
    return sum;
  }
#else
  static __device__ index rank() { return 0; }
  static __device__ index blocks() { return 1; }
  static __device__ void barrier() { __syncthreads(); }
  template <combine... How, std::size_t N>
  static __device__ several<N> all(several<N> const& x) {
    return block_group::all<How...>(x);
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
  template <combine... How, std::size_t N>
  static __device__ several<N> all(several<N> const& x) {
    return told_to_warp(reduced_by_warp<How...>(x));
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
