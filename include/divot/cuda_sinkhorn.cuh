// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/cuda_call.cuh>
#include <divot/exec/device_costs.hpp>
#include <divot/exec/sinkhorn_kernels.cuh>

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Tiles of costs, a block each.
template <class Tiles, class Call>
__global__ void __launch_bounds__(Tiles::threads)
    ground_costs_kernel(__grid_constant__ Call const call) {
  __shared__ typename Tiles::memory memory;
  index const count = cost_tiles<Tiles>(call);
  for (index k = blockIdx.x; k < count; k += gridDim.x) find_costs<Tiles>(call, k, memory);
}

/// What it costs to move from each point of x to each of y, problem by problem: costs for
/// sinkhorn_batch.
///
///   ground_costs(cuda(stream), ground, x, y, costs)
///
/// ground   ground::l1, ground::l2 or ground::squared_l2, each from the points' differences
/// x, y     problems × rows and problems × columns points: device_stacks of one storage, a row a
///          point
/// costs    problems × rows × columns, any storage; in double the sums are, too
/// Errors   divot::error for shapes, before anything is launched
template <class Ground, class X, class Y, class Out>
void ground_costs(cuda_policy const& policy, Ground const& ground, device_stack<X> x,
                  device_stack<Y> y, device_stack<Out> costs) {
  static_assert(std::is_same_v<std::remove_const_t<X>, std::remove_const_t<Y>>,
                "divot: ground_costs takes points of one storage");
  auto const call = device_costs_of(ground, device_stack<std::remove_const_t<X> const>(x),
                                    device_stack<std::remove_const_t<X> const>(y), costs);
  using call_type = std::remove_const_t<decltype(call)>;
  using tiles = ground_tiles<typename call_type::number, block_group, 16>;
  index const count = cost_tiles<tiles>(call);
  if (count == 0) return;
  device_layout layout;
  layout.threads = tiles::threads;
  layout.grid = static_cast<int>(std::min<index>(count, index(1) << 20));
  launch(policy.stream, layout, "ground costs", &ground_costs_kernel<tiles, call_type>, call);
}

/// The call's launch; with `only_bytes` says what memory it needs.
template <class Call>
void run_device_sinkhorn(cuda_policy const& policy, Call const& call, std::size_t* only_bytes) {
  auto device = current_device();
  char const* const what = "sinkhorn_batch";
  cudaFuncAttributes of = {};
  check_cuda(
      cudaFuncGetAttributes(&of, reinterpret_cast<void const*>(&sinkhorn_kernel<crew_group, Call>)),
      "cudaFuncGetAttributes", what);
  if (of.ptxVersion < 90) device.cluster = 1;
  auto layout = layout_of_problems(device, call.costs.count, call.costs.rows, call.costs.cols);
  device_pieces pieces;
  std::size_t const at_taken = pieces.add(sizeof(unsigned long long));
  bool const global = layout.team == sinkhorn_team::cluster;
  std::size_t const groups = static_cast<std::size_t>(layout.grid / layout.cluster);
  std::size_t const at_memory = pieces.add(global ? layout.stride * groups : 0);
  if (only_bytes != nullptr) {
    *only_bytes = pieces.bytes();
    return;
  }
  if (call.costs.count == 0) return;
  stream_memory const memory(policy.stream, call.to.workspace, pieces.bytes());
  auto* const taken = reinterpret_cast<unsigned long long*>(memory.data() + at_taken);
  if (global) layout.memory = memory.data() + at_memory;
  check_cuda(cudaMemsetAsync(taken, 0, sizeof *taken, policy.stream), "cudaMemsetAsync", what);
  if (layout.team == sinkhorn_team::warp) {
    launch(policy.stream, layout, what, &sinkhorn_kernel<warp_group, Call>, call, layout, taken);
  } else {
    launch(policy.stream, layout, what, &sinkhorn_kernel<crew_group, Call>, call, layout, taken);
  }
}

/// Many transport problems of one shape on a device: for each the plan P that minimises
/// ⟨P, C⟩ + ε KL(P ‖ a⊗b) among those with the marginals a and b.
///
///   sinkhorn_batch(cuda(stream), costs, a, b, options, where)
///
/// costs    problems × rows × columns: a device_stack; a padded problem's padding has mass 0
/// a, b     problems × rows and problems × columns: device_views of the masses, one row for all
///          problems, or device_view<double>{} for equal ones; both left out: equal ones
/// options  epsilon, tolerance (0: 1e-5 for costs in float or less, 1e-9 for others), sweeps,
///          max_sweeps and newton_steps; sweeps are plain ones, not over-relaxed
/// where    device_transport: values, potentials, errors, sweeps, status and plans
/// Storage  costs and plans in float, double, __half or __nv_bfloat16; solved in double
/// Errors   divot::error for shapes and options and divot::cuda_error, before anything is launched.
///          A problem that is wrong has a status that says so, values of NaN, potentials of −∞ and
///          a plan of zeros
///
/// Nothing waits: all is done in the stream's order, and may be captured in a graph. Each problem
/// stops when it is done itself. The same bits from run to run, and whatever other problems there
/// are; not those of the host, whose sums are other ones.
template <class Storage, class Mass, class Plan>
void sinkhorn_batch(cuda_policy const& policy, device_stack<Storage> costs, device_view<Mass> a,
                    device_view<Mass> b, sinkhorn_options const& options,
                    device_transport<Plan> const& where) {
  run_device_sinkhorn(policy, device_sinkhorn_of(costs, a, b, options, where), nullptr);
}
template <class Storage, class Plan>
void sinkhorn_batch(cuda_policy const& policy, device_stack<Storage> costs,
                    sinkhorn_options const& options, device_transport<Plan> const& where) {
  sinkhorn_batch(policy, costs, device_view<double>{}, device_view<double>{}, options, where);
}

/// How many bytes of device_transport::workspace the call with these costs needs.
template <class Storage>
std::size_t sinkhorn_batch_bytes(cuda_policy const& policy, device_stack<Storage> costs) {
  std::size_t bytes = 0;
  run_device_sinkhorn(policy,
                      device_sinkhorn_of(costs, device_view<double>{}, device_view<double>{}, {},
                                         device_transport<>{}),
                      &bytes);
  return bytes;
}

}  // namespace DIVOT_ABI
}  // namespace divot
