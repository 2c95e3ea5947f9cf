// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_plan.hpp>
#include <divot/team/cluster.cuh>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// What a block has of a pass: its scratch memory, the class that begins with, and its rows, a
/// cluster taking one at a time.
template <class Team, class Group>
struct kernel_share {
  typename Team::scalar* memory;
  index begin = 0;
  index first_row, row_step;

  __device__ explicit kernel_share(device_layout const& layout)
      : first_row(static_cast<index>(blockIdx.x) / layout.cluster),
        row_step(layout.grid / layout.cluster) {
    extern __shared__ __align__(16) std::byte shared_memory[];
    std::byte* from = shared_memory;
    if constexpr (std::is_same_v<Group, cluster_group>) {
      cluster_group::set_slice(layout.slice / Team::width);
      begin = cluster_group::rank() * layout.slice;
    } else if (layout.memory != nullptr) {
      from = layout.memory + blockIdx.x * layout.stride;
    }
    memory = reinterpret_cast<typename Team::scalar*>(from);
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
