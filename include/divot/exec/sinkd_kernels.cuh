// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_mean.hpp>
#include <divot/exec/device_sinkd_row.hpp>
#include <divot/exec/device_sinkd_solve.hpp>
#include <divot/exec/device_sinkd_tiles.hpp>
#include <divot/exec/kernel_share.cuh>
#include <divot/team/crew.cuh>

namespace divot {
inline namespace DIVOT_ABI {

template <class Call>
using sinkd_tiles = ground_tiles<typename Call::number, block_group, 16>;

/// Where each row stands in its problem; nobody is bad yet.
template <class Problems>
__global__ void sinkd_places_kernel(__grid_constant__ Problems const call) {
  index const step = static_cast<index>(gridDim.x) * blockDim.x;
  for (index r = static_cast<index>(blockIdx.x) * blockDim.x + threadIdx.x; r < call.rows;
       r += step) {
    place_sinkd_row(call, r);
  }
}

/// One block.
template <class Problems>
__global__ void sinkd_mean_kernel(__grid_constant__ Problems const call) {
  find_device_mean<block_group>(call.options, call.rows, call.mean);
}

/// What is compared of a side's rows. A block, or a cluster of them, takes a row at a time.
template <class Team, class Group, bool OfTeacher, class Call>
__global__ void __launch_bounds__(most_block_threads)
    sinkd_read_kernel(__grid_constant__ Call const call, device_layout const layout) {
  kernel_share<Team, Group> const own(layout);
  for (index r = own.first_row; r < call.rows; r += own.row_step) {
    if (!is_valid(call.options, r)) continue;
    if constexpr (OfTeacher) {
      read_sinkd_row<Team>(call, call.teacher, call.teacher_kind, call.teacher_rows, own.memory,
                           layout.slice, own.begin, r);
    } else {
      read_sinkd_row<Team>(call, call.student, operand_kind::logits, call.student_rows, own.memory,
                           layout.slice, own.begin, r);
    }
  }
}

/// Tiles of costs, a block each.
template <class Call>
__global__ void __launch_bounds__(sinkd_tiles<Call>::threads)
    sinkd_cost_kernel(__grid_constant__ Call const call) {
  using tiles = sinkd_tiles<Call>;
  __shared__ typename tiles::memory memory;
  index const count = sinkd_cost_tiles<tiles>(call);
  for (index k = blockIdx.x; k < count; k += gridDim.x) {
    find_sinkd_costs<tiles>(call, k, memory);
  }
}

/// The slices' sums added up; a thread an entry.
template <class Problems>
__global__ void sinkd_settle_kernel(__grid_constant__ Problems const call, index slices) {
  index const square = call.most * call.most;
  index const step = static_cast<index>(gridDim.x) * blockDim.x;
  for (index k = static_cast<index>(blockIdx.x) * blockDim.x + threadIdx.x;
       k < call.problems * square; k += step) {
    settle_sinkd_cost(call, slices, k / square, k % square);
  }
}

/// Plans, losses and ∂L/∂C, a problem to a block or a cluster of them, in memory of its own.
template <bool Limit, class Problems>
__global__ void __launch_bounds__(most_block_threads)
    sinkd_solve_kernel(__grid_constant__ Problems const call, device_layout const layout) {
  index const groups = layout.grid / layout.cluster;
  index const me = static_cast<index>(blockIdx.x) / layout.cluster;
  auto* const memory =
      reinterpret_cast<double*>(layout.memory + static_cast<std::size_t>(me) * layout.stride);
  for (index p = me; p < call.problems; p += groups) {
    if constexpr (Limit) {
      limit_sinkd_problem<crew_group>(call, p, memory);
    } else {
      sweep_sinkd_problem<crew_group>(call, p, memory);
    }
  }
}

/// Tiles of a side's slopes, a block each.
template <class Call>
__global__ void __launch_bounds__(sinkd_tiles<Call>::threads)
    sinkd_slope_kernel(__grid_constant__ Call const call, bool of_teacher) {
  using tiles = sinkd_tiles<Call>;
  __shared__ typename tiles::memory memory;
  index const count = sinkd_slope_tiles<tiles>(call);
  for (index k = blockIdx.x; k < count; k += gridDim.x) {
    pull_sinkd_tile<tiles>(call, of_teacher, k, memory);
  }
}

/// A side's gradient. A block, or a cluster of them, takes a row at a time.
template <class Team, class Group, bool OfTeacher, class Call>
__global__ void __launch_bounds__(most_block_threads)
    sinkd_write_kernel(__grid_constant__ Call const call, device_layout const layout) {
  kernel_share<Team, Group> const own(layout);
  for (index r = own.first_row; r < call.rows; r += own.row_step) {
    if constexpr (OfTeacher) {
      write_sinkd_row<Team>(call, call.teacher_rows, call.teacher_to, own.memory, layout.slice,
                            own.begin, r);
    } else {
      write_sinkd_row<Team>(call, call.student_rows, call.student_to, own.memory, layout.slice,
                            own.begin, r);
    }
  }
}

/// One block: the loss, and what is to be said of bad rows.
template <class Problems>
__global__ void sinkd_sum_kernel(__grid_constant__ Problems const call) {
  device_status found;
  if (!finish_sinkd_call<block_group>(call, found)) return;
  atomicAdd(&call.options.status->bad_rows, found.bad_rows);
  atomicMax(&call.options.status->first_bad_inverted, found.first_bad_inverted);
}

}  // namespace DIVOT_ABI
}  // namespace divot
