// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_plan.hpp>
#include <divot/team/cluster.cuh>
#include <divot/team/scalar.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// All rows, on the arithmetic's numbers. A block, or a cluster of them, takes a row at a time.
template <class Team, class Group, bool Student, bool Teacher, class Plan, class Call>
__global__ void __launch_bounds__(most_block_threads)
    loss_kernel(__grid_constant__ Plan const plan, __grid_constant__ Call const call,
                device_arrays const arrays, device_layout const layout) {
  using T = typename Team::scalar;
  extern __shared__ __align__(16) std::byte shared_memory[];
  T* memory = reinterpret_cast<T*>(shared_memory);
  index begin = 0;
  if constexpr (std::is_same_v<Group, cluster_group>) {
    cluster_group::set_slice(layout.slice / Team::width);
    begin = cluster_group::rank() * layout.slice;
  } else if (layout.memory != nullptr) {
    memory = reinterpret_cast<T*>(layout.memory + blockIdx.x * layout.stride);
  }
  device_row<Team, Student, Teacher, Call> const one(call, arrays, memory, layout.slice, begin);
  index const groups = layout.grid / layout.cluster;
  for (index r = static_cast<index>(blockIdx.x) / layout.cluster; r < call.rows; r += groups) {
    one.run(plan, r);
  }
}

/// Those rows again that the pass before has left, on a wider type. Without any it has little to
/// do.
template <class Team, bool Student, bool Teacher, class Plan, class Call>
__global__ void __launch_bounds__(most_block_threads)
    careful_kernel(__grid_constant__ Plan const plan, __grid_constant__ Call const call,
                   device_arrays const arrays, device_layout const layout) {
  using T = typename Team::scalar;
  T* const memory = reinterpret_cast<T*>(layout.memory + blockIdx.x * layout.stride);
  device_row<Team, Student, Teacher, Call> const one(call, arrays, memory, layout.slice, 0);
  for (index r = blockIdx.x; r < call.rows; r += gridDim.x) {
    bool const left = call.states[r] == row_state::beyond;
    __syncthreads();  // all have seen it before it changes
    if (left) one.run(plan, r);
  }
}

/// What sums over rows are multiplied by: what is given, or 1 over the rows that a mask leaves.
template <class Call>
__global__ void mean_kernel(__grid_constant__ Call const call, double given, double* mean) {
  if (given > 0) {
    if (threadIdx.x == 0) *mean = given;
    return;
  }
  double count = 0;
  for (index r = threadIdx.x; r < call.rows; r += blockDim.x) count += call.is_valid(r) ? 1 : 0;
  count = block_group::sum(count);
  if (threadIdx.x == 0) *mean = 1 / (count > 0 ? count : 1);
}

/// The rows' losses as one number, in a fixed order, and what is to be said of bad rows.
template <class Call>
__global__ void sum_kernel(__grid_constant__ Call const call) {
  double sum = 0, bad = 0;
  index first = call.rows;
  for (index r = threadIdx.x; r < call.rows; r += blockDim.x) {
    bool const is_bad = call.states[r] != row_state::done;
    double const loss = call.losses[r];
    if (!call.options.per_row.empty() && !is_bad) call.options.per_row.data[r] = loss;
    sum += loss;
    bad += is_bad ? 1 : 0;
    if (is_bad && r < first) first = r;
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
