// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/cuda_call.cuh>
#include <divot/exec/device_sinkd_call.hpp>
#include <divot/exec/sinkd_kernels.cuh>

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// How a SinKD call is launched.
template <class Form>
class sinkd_launches {
 public:
  using call_type = typename Form::call_type;
  using T = typename Form::number;
  using problems_type = sinkd_problems<typename call_type::ground_type>;
  using tiles = sinkd_tiles<call_type>;
  using block_team = lockstep_team<T, block_group>;
  using cluster_team = lockstep_team<T, cluster_group>;

  sinkd_launches(cudaStream_t stream, call_type& call) : stream_(stream), call_(call) {
    device_ = current_device();
    read_teacher_ = rows_layout(&sinkd_read_kernel<cluster_team, cluster_group, true, call_type>);
    read_student_ = rows_layout(&sinkd_read_kernel<cluster_team, cluster_group, false, call_type>);
    if constexpr (Form::with_teacher) {
      write_teacher_ =
          rows_layout(&sinkd_write_kernel<cluster_team, cluster_group, true, call_type>);
    }
    if constexpr (Form::with_student) {
      write_student_ =
          rows_layout(&sinkd_write_kernel<cluster_team, cluster_group, false, call_type>);
    }
    solve_ = solve_layout();
  }

  /// Hands out the call's memory, of which `memory` is the beginning (or none, to count).
  std::size_t lay_out(std::byte* memory) {
    device_pieces pieces;
    lay_out_sinkd<tiles>(call_, [&](auto*& to, index count) {
      using number = std::remove_reference_t<decltype(*to)>;
      std::size_t const at = pieces.add(static_cast<std::size_t>(count) * sizeof(number));
      to = memory == nullptr ? nullptr : reinterpret_cast<number*>(memory + at);
    });
    // what rows and plans work in, one after the other
    std::size_t most = 0;
    device_layout* const all[] = {&read_teacher_, &read_student_, &write_teacher_, &write_student_,
                                  &solve_};
    for (auto* const l : all) {
      // a cluster works in one memory, or in its blocks' own
      most = std::max(most, l->stride * static_cast<std::size_t>(l->grid / l->cluster));
    }
    std::size_t const at = pieces.add(most);
    for (auto* const l : all) {
      l->memory = memory == nullptr || l->stride == 0 ? nullptr : memory + at;
    }
    return pieces.bytes();
  }

  void run() {
    auto const start = [&](device_layout const& l, char const* what, auto kernel, auto... more) {
      launch(stream_, l, what, kernel, call_, more...);
    };
    if (call_.rows > 0) {
      start(spread(call_.rows), "rows of sinkd", &sinkd_places_kernel<problems_type>);
    }
    start(one_block, "the mean's divisor", &sinkd_mean_kernel<problems_type>);
    if (call_.rows > 0) {
      read<true>(read_teacher_);
      read<false>(read_student_);
      each_sinkd_kind(call_, [&] {
        start(tile_layout(sinkd_cost_tiles<tiles>(call_)), "sinkd's costs",
              &sinkd_cost_kernel<call_type>);
        start(spread(call_.problems * call_.most * call_.most), "sinkd's costs",
              &sinkd_settle_kernel<problems_type>, tiles::slices(call_.classes));
        start(solve_, "sinkd's plans", solver(), solve_);
      });
      if constexpr (Form::with_student) write<false>(write_student_);
      if constexpr (Form::with_teacher) write<true>(write_teacher_);
    }
    start(one_block, "the sum of losses", &sinkd_sum_kernel<problems_type>);
  }

 private:
  static constexpr device_layout one_block{.grid = 1, .threads = most_block_threads};

  auto solver() const {
    return call_.what.sweeps > 0 ? &sinkd_solve_kernel<false, problems_type>
                                 : &sinkd_solve_kernel<true, problems_type>;
  }
  template <class Kernel>
  device_layout rows_layout(Kernel kernel) const {
    if (call_.rows == 0) return {};
    return layout_for(kernel, device_, device_arrays(), call_.rows, call_.classes,  // two arrays
                      block_team::width, sizeof(T));
  }
  /// A problem's sums keep as many threads busy as they have parts.
  device_layout solve_layout() const {
    device_layout l;
    if (call_.rows == 0) return l;
    index const items = parts_of(call_.most) * call_.most;
    l.threads = static_cast<int>(std::min<index>(rounded_up(items, 32), most_block_threads));
    cudaFuncAttributes of = {};
    check_cuda(cudaFuncGetAttributes(&of, reinterpret_cast<void const*>(solver())),
               "cudaFuncGetAttributes", "sinkd's plans");
    bool const clusters = device_.cluster > 1 && of.ptxVersion >= 90;
    while (clusters && l.cluster < 8 && l.cluster * l.threads < items) l.cluster *= 2;
    l.grid =
        static_cast<int>(std::clamp<index>(2 * device_.processors / l.cluster, 1, call_.problems)) *
        l.cluster;
    l.stride = static_cast<std::size_t>(rounded_up(
        sinkd_solver_room(call_.most, call_.what.sweeps) * static_cast<index>(sizeof(double)),
        256));
    return l;
  }
  device_layout spread(index items) const {
    device_layout l;
    l.threads = 256;
    l.grid =
        static_cast<int>(std::clamp<index>((items + 255) / 256, 1, index(32) * device_.processors));
    return l;
  }
  static device_layout tile_layout(index count) {
    device_layout l;
    l.threads = tiles::threads;
    l.grid = static_cast<int>(std::clamp<index>(count, 1, index(1) << 20));
    return l;
  }

  template <bool OfTeacher>
  void read(device_layout const& l) const {
    char const* const what = "sinkd's softmax";
    if (l.cluster > 1) {
      launch(stream_, l, what,
             &sinkd_read_kernel<cluster_team, cluster_group, OfTeacher, call_type>, call_, l);
    } else {
      launch(stream_, l, what, &sinkd_read_kernel<block_team, block_group, OfTeacher, call_type>,
             call_, l);
    }
  }
  template <bool OfTeacher>
  void write(device_layout const& l) {
    char const* const what = "sinkd's gradient";
    each_sinkd_slope(call_, OfTeacher, [&] {
      launch(stream_, tile_layout(sinkd_slope_tiles<tiles>(call_)), what,
             &sinkd_slope_kernel<call_type>, call_, OfTeacher);
    });
    if (l.cluster > 1) {
      launch(stream_, l, what,
             &sinkd_write_kernel<cluster_team, cluster_group, OfTeacher, call_type>, call_, l);
    } else {
      launch(stream_, l, what, &sinkd_write_kernel<block_team, block_group, OfTeacher, call_type>,
             call_, l);
    }
  }

  cudaStream_t stream_;
  call_type& call_;
  device_limits device_;
  device_layout read_teacher_, read_student_, write_teacher_, write_student_, solve_;
};

/// sinkd on a device: value, gradient, value_and_gradient and device_workspace_bytes take it as
/// every other loss.
///
///   value_and_gradient(cuda(stream), sinkd{…}, teacher, student, where, batch)
///
/// what     sinkd{…}, with_cost(sinkd{…}, ground) or a multiple of one; sums with other losses are
///          calls of their own, which `accumulate`
/// teacher  rows × classes: a device_view or logits(view), log_probabilities(view), labels(span)
/// student  rows × classes: a device_view or logits(view)
/// batch    device_batch, but for temperatures; a row that is bad makes the whole problem (or
///          sequence) that it is in be left as it was, and the loss NaN. With sweeps = 0 a problem
///          that is not solved to the tolerance has nothing but bad rows
/// Memory   rows × classes of both sides and of one gradient, and of every problem rows² of double
///          two to sixteen times; and what one is solved in
/// Errors   divot::error for shapes and options
template <class L, class Teacher, class Student, class Gradients>
requires has_batch_terms<L>
void run_device_call(cuda_policy const& policy, L const& what, Teacher const& teacher,
                     Student const& student, Gradients const& where, device_batch const& options,
                     std::size_t* only_bytes) {
  if constexpr (is_device_call<L, Teacher, Student>()) {
    auto const term = only_sinkd_term(what);
    using form = device_sinkd_form<std::remove_cvref_t<decltype(term.term)>,
                                   decltype(as_device_rows(teacher)),
                                   decltype(as_device_rows(student)), Gradients>;
    auto call = form::call(term, as_device_rows(teacher), as_device_rows(student), where, options);
    sinkd_launches<form> launches(policy.stream, call);
    std::size_t const bytes = launches.lay_out(nullptr);
    if (only_bytes != nullptr) {
      *only_bytes = bytes;
      return;
    }
    stream_memory const memory(policy.stream, options.workspace, bytes);
    launches.lay_out(memory.data());
    launches.run();
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
