// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Losses and gradients of rows in a CUDA device's memory. Holds kernels: for nvcc, as C++20 with
// --expt-relaxed-constexpr; the target divot::cuda brings both. Includes neither Eigen nor xsimd.

#include <divot/catalogue.hpp>
#include <divot/cuda_sinkd.cuh>
#include <divot/cuda_sinkhorn.cuh>
#include <divot/cuda_softmax.cuh>
#include <divot/exec/cuda_call.cuh>

#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// The loss of rows on a device: D(p‖q), or whatever `what` is, row by row and combined.
///
///   value(cuda(stream), what, teacher, student, batch)
///
/// what     as on the host: any divergence of the catalogue, your own, sums; or sinkd{…}
/// teacher  rows × classes: a device_view (logits at temperature 1), logits(view, T),
///          log_probabilities(view), labels(span) or top_k(indices, log_probabilities, tail)
/// student  rows × classes: a device_view, logits(view, T) or log_probabilities(view)
/// batch    device_batch: where the loss goes, weights, masks, reduction …
/// Storage  float, double, __half or __nv_bfloat16; arithmetic in float, double where one is double
/// Errors   divot::error for shapes and options and divot::cuda_error, before anything is launched;
///          bad rows through device_batch::status
///
/// Nothing waits: all is done in the stream's order, and may be captured in a graph. The same bits
/// from run to run.
template <class L, class Teacher, on_device Student>
void value(cuda_policy const& policy, L const& what, Teacher const& teacher, Student const& student,
           device_batch const& options) {
  if (options.loss == nullptr && options.per_row.empty()) {
    fail("nobody asked where the loss goes: set device_batch::loss or device_batch::per_row");
  }
  run_device_call(policy, what, teacher, student, device_gradients<>{}, options, nullptr);
}

/// The loss and its exact gradient.
///
///   value_and_gradient(cuda(stream), what, teacher, student, where, batch)
///
/// where    a device_view of the student's shape (the student's own logits: in place), or
///          device_gradients{student, teacher, accumulate, scale}
template <class L, class Teacher, on_device Student, class Where>
void value_and_gradient(cuda_policy const& policy, L const& what, Teacher const& teacher,
                        Student const& student, Where where, device_batch const& options = {}) {
  run_device_call(policy, what, teacher, student, device_where(where), options, nullptr);
}

/// The gradient alone; costs what value_and_gradient does.
template <class L, class Teacher, on_device Student, class Where>
void gradient(cuda_policy const& policy, L const& what, Teacher const& teacher,
              Student const& student, Where where, device_batch const& options = {}) {
  run_device_call(policy, what, teacher, student, device_where(where), options, nullptr);
}

/// How many bytes of device_batch::workspace the call with these arguments needs.
template <class L, class Teacher, on_device Student, class Where>
std::size_t device_workspace_bytes(cuda_policy const& policy, L const& what, Teacher const& teacher,
                                   Student const& student, Where where,
                                   device_batch const& options = {}) {
  std::size_t bytes = 0;
  run_device_call(policy, what, teacher, student, device_where(where), options, &bytes);
  return bytes;
}

/// Waits for the stream and throws bad_value if calls have found bad rows since *status was zeroed.
inline void device_check(cuda_policy const& policy, device_status const* status) {
  device_status found;
  check_cuda(cudaMemcpyAsync(&found, status, sizeof found, cudaMemcpyDeviceToHost, policy.stream),
             "cudaMemcpyAsync", "the status");
  check_cuda(cudaStreamSynchronize(policy.stream), "cudaStreamSynchronize", "the status");
  if (found.bad_rows == 0) return;
  auto const row = static_cast<index>(~found.first_bad_inverted);
  auto const count = static_cast<index>(found.bad_rows);
  message text;
  text << "row " << row
       << ": NaN, +inf, nothing but -inf, log-probabilities that do not sum to 1, a temperature "
          "that is not positive, a label out of range, no top-k teacher, a loss beyond double, or "
          "a problem of sinkd that was not solved";
  if (count > 1) text << "; " << count << " rows are bad";
  text << "; all other rows are complete (of sinkd: all other problems)";
  throw bad_value(text.text(), row, -1, std::numeric_limits<double>::quiet_NaN(), count);
}

}  // namespace DIVOT_ABI
}  // namespace divot
