// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/cuda.cuh>
#include <divot/exec/device_checks.hpp>
#include <divot/exec/device_softmax_row.hpp>
#include <divot/exec/kernel_share.cuh>

namespace divot {
inline namespace DIVOT_ABI {

/// All rows of a call of the softmax family; a block, or a cluster of them, takes a row at a time.
template <softmax_task Task, class Team, class Group, class Call>
__global__ void __launch_bounds__(most_block_threads)
    softmax_kernel(__grid_constant__ Call const call, device_layout const layout) {
  kernel_share<Team, Group> const own(layout);
  for (index r = own.first_row; r < call.rows; r += own.row_step) {
    bool const good = device_softmax_row<Task, Team>(call, own.memory, layout.slice, own.begin, r);
    if (!good && Team::leads() && call.options.status != nullptr) {
      atomicAdd(&call.options.status->bad_rows, 1ull);
      atomicMax(&call.options.status->first_bad_inverted, ~static_cast<unsigned long long>(r));
    }
  }
}

/// Shapes and options, and the launch.
template <softmax_task Task, class In, class Upstream, class Out>
void run_device_softmax(cuda_policy const& policy, device_softmax<In, Upstream, Out> call) {
  using call_type = device_softmax<In, Upstream, Out>;
  using T = std::conditional_t<std::is_same_v<In, double> || std::is_same_v<Upstream, double>,
                               double, float>;
  using block_team = lockstep_team<T, block_group>;
  using cluster_team = lockstep_team<T, cluster_group>;
  device_batch const& options = call.options;
  call.rows = call.x.rows;
  call.classes = call.x.cols;
  check_view(call.x, "the input");
  check_device_temperature(call.temperature, "the input");
  call.classes = settle_device_classes(options, call.rows, call.classes);
  if constexpr (takes_pairs(Task)) {
    check_gradient(call.upstream, call.x.rows, call.x.cols, "the upstream gradient");
  }
  if constexpr (Task == softmax_task::logsumexp_pullback) {
    if (call.row_upstream.size != call.rows) {
      fail("the upstream gradient has ", call.row_upstream.size, " entries for ", call.rows,
           " rows");
    }
  }
  if constexpr (Task == softmax_task::logsumexp) {
    if (call.row_out.size != call.rows) {
      fail("logsumexp: the output has ", call.row_out.size, " entries for ", call.rows, " rows");
    }
  } else {
    check_gradient(call.out, call.x.rows, call.x.cols, "the output");
    auto const to = extent_of(call.out);
    check_apart(to, extent_of(call.x), true, "the output and the input");
    check_apart(to, extent_of(call.upstream), true, "the output and the upstream gradient");
  }
  if (call.rows == 0) return;
  device_arrays arrays;  // two
  auto layout =
      layout_for(&softmax_kernel<Task, cluster_team, cluster_group, call_type>, current_device(),
                 arrays, call.rows, call.classes, block_team::width, sizeof(T));
  stream_memory const memory(policy.stream, {},
                             layout.stride * static_cast<std::size_t>(layout.grid));
  layout.memory = memory.data();
  char const* const what = "the softmax";
  if (layout.cluster > 1) {
    launch(policy.stream, layout, what,
           &softmax_kernel<Task, cluster_team, cluster_group, call_type>, call, layout);
  } else {
    launch(policy.stream, layout, what, &softmax_kernel<Task, block_team, block_group, call_type>,
           call, layout);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
