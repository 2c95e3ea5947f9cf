// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/team/block.cuh>

#include <cooperative_groups.h>

namespace divot {
inline namespace DIVOT_ABI {

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900

/// The threads of a CUDA cluster as a group of `lockstep_team`: each block has a slice of the row,
/// in shared memory of its own, and packs of the slice go round its threads. Compute
/// capability 9.0.
///
/// Sums are those of the blocks, block after block: each block puts its own into the shared memory
/// of all, in one of two places that take turns, so that the blocks meet once for a sum.
struct cluster_group {
  /// Before anything else: how many packs a slice has.
  static __device__ void set_slice(index packs) {
    if (threadIdx.x == 0) {
      own().slice = packs;
      own().turn = 0;
    }
    cooperative_groups::this_cluster().sync();  // all blocks are there
  }
  static __device__ index rank() {
    return static_cast<index>(cooperative_groups::this_cluster().block_rank());
  }
  static __device__ thread_share share(index packs) {
    index const slice = own().slice, first = rank() * slice;
    index const blocks = static_cast<index>(cooperative_groups::this_cluster().num_blocks());
    // what lies behind the slices, columns that only a gradient has, is the last block's
    index const behind = rank() + 1 == blocks ? packs : first + slice;
    return {first + static_cast<index>(threadIdx.x), behind < packs ? behind : packs,
            static_cast<index>(blockDim.x)};
  }
  static __device__ bool owns(index pack) {
    index const slice = own().slice, in_slice = pack - rank() * slice;
    return in_slice >= 0 && in_slice < slice &&
           in_slice % static_cast<index>(blockDim.x) == static_cast<index>(threadIdx.x);
  }
  template <combine... How, std::size_t N>
  static __noinline__ __device__ several<N> all(several<N> x) {
    auto const cluster = cooperative_groups::this_cluster();
    unsigned const blocks = cluster.num_blocks(), me = cluster.block_rank(), turn = own().turn;
    x = block_group::all<How...>(x);
    if (threadIdx.x < blocks) {
      sums& there = *cluster.map_shared_rank(&own(), threadIdx.x);
      for (std::size_t i = 0; i < N; ++i) there.of_blocks[turn][me][i] = x.each[i];
    }
    __syncthreads();  // all have seen whose turn it is
    if (threadIdx.x == 0) own().turn = 1 - turn;
    cluster.sync();
    several<N> sum;
    for (std::size_t i = 0; i < N; ++i) sum.each[i] = own().of_blocks[turn][0][i];
    for (unsigned b = 1; b < blocks; ++b) {
      several<N> other;
      for (std::size_t i = 0; i < N; ++i) other.each[i] = own().of_blocks[turn][b][i];
      sum = several<N>::template joined<How...>(sum, other);
    }
    return sum;
  }

 private:
  static constexpr std::size_t most_blocks = 16;
  struct sums {
    double of_blocks[2][most_blocks][block_group::most_at_once];
    index slice;
    unsigned turn;
  };
  static __device__ sums& own() {
    __shared__ sums of_block;
    return of_block;
  }
};

#else
struct cluster_group : absent_group {
  static DIVOT_HD void set_slice(index) {}
  static DIVOT_HD index rank() { return 0; }
};
#endif

}  // namespace DIVOT_ABI
}  // namespace divot
