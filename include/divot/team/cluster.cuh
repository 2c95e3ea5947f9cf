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
/// Sums are those of the blocks, block after block, which each block reads from the others' shared
/// memory.
struct cluster_group : reductions<cluster_group> {
  /// Before anything else: how many packs a slice has.
  static __device__ void set_slice(index packs) {
    if (threadIdx.x == 0) slice() = packs;
    __syncthreads();
  }
  static __device__ index rank() {
    return static_cast<index>(cooperative_groups::this_cluster().block_rank());
  }
  static __device__ thread_share share(index packs) {
    index const first = rank() * slice();
    index const blocks = static_cast<index>(cooperative_groups::this_cluster().num_blocks());
    // what lies behind the slices, columns that only a gradient has, is the last block's
    index const behind = rank() + 1 == blocks ? packs : first + slice();
    return {first + static_cast<index>(threadIdx.x), behind < packs ? behind : packs,
            static_cast<index>(blockDim.x)};
  }
  static __device__ bool owns(index pack) {
    index const in_slice = pack - rank() * slice();
    return in_slice >= 0 && in_slice < slice() &&
           in_slice % static_cast<index>(blockDim.x) == static_cast<index>(threadIdx.x);
  }
  static __device__ void barrier() { cooperative_groups::this_cluster().sync(); }
  template <class R>
  static __device__ R of_owner(R const* x, bool owner) {
    return static_cast<R>(sum(owner ? static_cast<double>(*x) : 0.));
  }
  template <class R, class Op>
  static __noinline__ __device__ R over(R x, Op const& op) {
    __shared__ double slot;
    x = block_group::over(x, op);
    auto const cluster = cooperative_groups::this_cluster();
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

 private:
  static __device__ index& slice() {
    __shared__ index packs;
    return packs;
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
