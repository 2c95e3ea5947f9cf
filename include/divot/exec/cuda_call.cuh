// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/cuda.cuh>
#include <divot/exec/device_call.hpp>
#include <divot/exec/loss_kernels.cuh>
#include <divot/family/plan.hpp>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <type_traits>

namespace divot {

template <>
inline constexpr sixteen_bits bits_of<__half> = sixteen_bits::half;
template <>
inline constexpr sixteen_bits bits_of<__nv_bfloat16> = sixteen_bits::bfloat16;

inline namespace DIVOT_ABI {

/// The memory of a call: pieces one after the other, aligned to 256 bytes.
class device_pieces {
 public:
  std::size_t add(std::size_t bytes) {
    std::size_t const at = bytes_;
    bytes_ += (bytes + 255) / 256 * 256;
    return at;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

/// The passes over a call's rows: all of them on T, then those that were left.
template <class T, bool Student, bool Teacher, class Plan, class Call>
class device_passes {
 public:
  using block_team = lockstep_team<T, block_group>;
  using cluster_team = lockstep_team<T, cluster_group>;
  using wide_team = lockstep_team<double, block_group>;
  using widest_team = scalar_team<double, true>;

  device_passes(Plan const& plan, Call const& call) : plan_(plan), call_(call) {
    auto const device = current_device();
    arrays_ = arrays_of<Plan, Student, Teacher>(call);
    index const n = call.classes, rows = call.rows;
    first_ = layout_for(&loss_kernel<cluster_team, cluster_group, Student, Teacher, Plan, Call>,
                        device, arrays_, rows, n, block_team::width, sizeof(T));
    wide_ = layout_of_left_rows(device, arrays_, rows, n, wide_team::width, sizeof(double), 0);
    using row = widest_team::row;
    index const blocks = block_count<widest_team>(n);
    widest_ = layout_of_left_rows(
        device, arrays_, rows, n, widest_team::width, sizeof(widest_team::scalar),
        blocks * static_cast<index>(2 * sizeof(softmax_block<row>) + sizeof(sweep_block<row>)));
  }

  /// Scratch in global memory; the passes share it.
  std::size_t bytes() const {
    return std::max({bytes_of(first_), bytes_of(wide_), bytes_of(widest_)});
  }

  void run(cudaStream_t stream, std::byte* memory) {
    if (first_.shared_bytes == 0) first_.memory = memory;
    wide_.memory = widest_.memory = memory;
    char const* const what = "the loss";
    auto const start = [&](device_layout const& l, auto kernel, auto... pass) {
      launch(stream, l, what, kernel, plan_, call_, arrays_, l, pass...);
    };
    if (first_.cluster > 1) {
      start(first_, &loss_kernel<cluster_team, cluster_group, Student, Teacher, Plan, Call>);
    } else {
      start(first_, &loss_kernel<block_team, block_group, Student, Teacher, Plan, Call>);
    }
    int pass = 1;
    if constexpr (std::is_same_v<T, float>) {
      start(wide_, &careful_kernel<wide_team, Student, Teacher, Plan, Call>, pass++);
    }
    start(widest_, &careful_kernel<widest_team, Student, Teacher, Plan, Call>, pass);
  }

 private:
  static std::size_t bytes_of(device_layout const& l) {
    return l.stride * static_cast<std::size_t>(l.grid);
  }

  Plan const& plan_;
  Call const& call_;
  device_arrays arrays_;
  device_layout first_, wide_, widest_;
};

/// All verbs on a device: checks, takes memory, launches. With `only_bytes` says what memory that
/// is.
template <class L, class Teacher, class Student, class Gradients>
void run_device_call(cuda_policy const& policy, L const& what, Teacher const& teacher,
                     Student const& student, Gradients const& where, device_batch const& options,
                     std::size_t* only_bytes) {
  if constexpr (is_device_call<L, Teacher, Student>()) {
    using form = device_form<decltype(as_device_rows(teacher)), decltype(as_device_rows(student)),
                             Gradients>;
    using call_type = typename form::call_type;
    auto const plan = make_plan(what);
    using plan_type = std::remove_const_t<decltype(plan)>;
    auto call = form::call(plan, as_device_rows(teacher), as_device_rows(student), where, options);
    device_passes<typename form::arithmetic, form::with_student, form::with_teacher, plan_type,
                  call_type>
        passes(plan, call);
    auto const rows = static_cast<std::size_t>(call.rows);
    device_pieces pieces;
    std::size_t const at_mean = pieces.add(sizeof(double));
    std::size_t const at_losses = pieces.add(rows * sizeof(double));
    std::size_t const at_states = pieces.add(rows * sizeof(row_state));
    std::size_t const at_left = pieces.add(device_passes_most * sizeof(unsigned));
    std::size_t const at_scratch = pieces.add(passes.bytes());
    if (only_bytes != nullptr) {
      *only_bytes = pieces.bytes();
      return;
    }
    stream_memory const memory(policy.stream, options.workspace, pieces.bytes());
    auto* const mean = reinterpret_cast<double*>(memory.data() + at_mean);
    call.mean = mean;
    call.left = reinterpret_cast<unsigned*>(memory.data() + at_left);
    call.losses = reinterpret_cast<double*>(memory.data() + at_losses);
    call.states = reinterpret_cast<row_state*>(memory.data() + at_states);
    device_layout const one_block{.grid = 1, .threads = most_block_threads};
    launch(policy.stream, one_block, "the mean's divisor", &mean_kernel<call_type>, call, mean);
    if (call.rows > 0) passes.run(policy.stream, memory.data() + at_scratch);
    launch(policy.stream, one_block, "the sum of losses", &sum_kernel<call_type>, call);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
