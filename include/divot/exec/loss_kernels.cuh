// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_mean.hpp>
#include <divot/exec/device_row.hpp>
#include <divot/exec/kernel_share.cuh>
#include <divot/team/scalar.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// All rows, on the arithmetic's numbers. A block, or a cluster of them, takes a row at a time.
template <class Team, class Group, bool Student, bool Teacher, class Plan, class Call>
__global__ void __launch_bounds__(most_block_threads)
    loss_kernel(__grid_constant__ Plan const plan, __grid_constant__ Call const call,
                device_arrays const arrays, device_layout const layout) {
  kernel_share<Team, Group> const own(layout);
  device_row<Team, Student, Teacher, Call> const one(call, arrays, own.memory, layout.slice,
                                                     own.begin, 0);
  for (index r = own.first_row; r < call.rows; r += own.row_step) one.run(plan, r);
}

/// Those rows again that the pass before has left, on a wider type. Without any it has little to
/// do.
template <class Team, bool Student, bool Teacher, class Plan, class Call>
__global__ void __launch_bounds__(most_block_threads)
    careful_kernel(__grid_constant__ Plan const plan, __grid_constant__ Call const call,
                   device_arrays const arrays, device_layout const layout, int pass) {
  if (call.left[pass - 1] == 0) return;
  kernel_share<Team, block_group> const own(layout);
  device_row<Team, Student, Teacher, Call> const one(call, arrays, own.memory, layout.slice, 0,
                                                     pass);
  for (index r = own.first_row; r < call.rows; r += own.row_step) {
    bool const left = call.states[r] == row_state::beyond;
    __syncthreads();  // all have seen it before it changes
    if (left) one.run(plan, r);
  }
}

/// Before the passes: nothing is left yet; and what sums over rows are multiplied by.
template <class Call>
__global__ void mean_kernel(__grid_constant__ Call const call, double* mean) {
  if (threadIdx.x < device_passes_most) call.left[threadIdx.x] = 0;
  find_device_mean<block_group>(call.options, call.rows, mean);
}

/// The rows' losses as one number, in a fixed order, and what is to be said of bad rows.
template <class Call>
__global__ void sum_kernel(__grid_constant__ Call const call) {
  double sum = 0, bad = 0;
  index first = call.rows;
  // several rows' numbers on their way at a time; nothing is written in between that might be
  // theirs
#pragma unroll 8
  for (index r = threadIdx.x; r < call.rows; r += blockDim.x) {
    bool const is_bad = call.states[r] != row_state::done;
    sum += call.losses[r];
    bad += is_bad ? 1 : 0;
    first = is_bad && r < first ? r : first;
  }
  if (double* const to = call.options.per_row.data; to != nullptr) {
    for (index r = threadIdx.x; r < call.rows; r += blockDim.x) {
      if (call.states[r] == row_state::done) to[r] = call.losses[r];
    }
  }
  sum = block_group::sum(sum);
  bad = block_group::sum(bad);
  first = block_group::smallest(first);
  if (threadIdx.x != 0) return;
  if (call.options.loss != nullptr) *call.options.loss = *call.mean * sum;
  if (call.options.status != nullptr && bad > 0) {
    auto& status = *call.options.status;
    atomicAdd(&status.bad_rows, static_cast<unsigned long long>(bad));
    atomicMax(&status.first_bad_inverted, ~static_cast<unsigned long long>(first));
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
