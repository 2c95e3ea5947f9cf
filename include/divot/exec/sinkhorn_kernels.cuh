// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/cuda.cuh>
#include <divot/exec/device_sinkhorn_call.hpp>
#include <divot/team/crew.cuh>

#include <cstddef>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Transport problems, a group each, which takes the next one as soon as it is done with its own: a
/// hard one holds nobody up.
template <class Group, class Call>
__global__ void __launch_bounds__(most_block_threads)
    sinkhorn_kernel(__grid_constant__ Call const call, sinkhorn_layout const layout,
                    unsigned long long* taken) {
  extern __shared__ __align__(16) std::byte shared_memory[];
  std::byte* memory = shared_memory;
  if constexpr (std::is_same_v<Group, warp_group>) {
    memory += threadIdx.x / 32 * layout.stride;
  } else if (layout.memory != nullptr) {
    memory = layout.memory + blockIdx.x / static_cast<unsigned>(layout.cluster) * layout.stride;
  }
  solve_from_queue<Group>(call, reinterpret_cast<double*>(memory),
                          [&] { return static_cast<index>(atomicAdd(taken, 1ull)); });
}

}  // namespace DIVOT_ABI
}  // namespace divot
