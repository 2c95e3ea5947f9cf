// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_operands.hpp>
#include <divot/exec/softmax_kernels.cuh>

namespace divot {
inline namespace DIVOT_ABI {

/// softmax(x/T) of rows on a device.
///
///   softmax(cuda(stream), x, out, batch)
///
/// x     rows × classes: a device_view (temperature 1) or logits(view, T); −inf gives exactly 0
/// out   rows × classes, any storage; may be x itself
/// batch device_batch: mask (rows left out become 0), valid_classes and valid_classes_per_row (the
///       rest becomes 0), temperatures, status; rows that do not fit into shared memory are
///       worked out in memory from the device's pool
/// Errors  divot::error for shapes, before anything is launched; rows with NaN, +inf or nothing but
///         −inf through device_batch::status, their outputs as they were
template <on_device X, class Out>
void softmax(cuda_policy const& policy, X const& x, device_view<Out> out,
             device_batch const& options = {}) {
  run_device_softmax<softmax_task::softmax>(policy, softmax_of(x, out, options));
}
/// log softmax(x/T); arguments as for softmax.
template <on_device X, class Out>
void log_softmax(cuda_policy const& policy, X const& x, device_view<Out> out,
                 device_batch const& options = {}) {
  run_device_softmax<softmax_task::log_softmax>(policy, softmax_of(x, out, options));
}
/// log Σ_k exp(x_k/T) of each row, in double; masked rows become 0.
template <on_device X>
void logsumexp(cuda_policy const& policy, X const& x, device_span<double> out,
               device_batch const& options = {}) {
  auto call = softmax_of(x, device_view<float>{}, options);
  call.row_out = out;
  run_device_softmax<softmax_task::logsumexp>(policy, call);
}
/// The pullback of logsumexp: x̄ = ȳ·softmax(x/T)/T, ȳ a number a row.
template <on_device X, class Out>
void logsumexp_pullback(cuda_policy const& policy, X const& x, device_span<double const> upstream,
                        device_view<Out> out, device_batch const& options = {}) {
  auto call = softmax_of(x, out, options);
  call.row_upstream = upstream;
  run_device_softmax<softmax_task::logsumexp_pullback>(policy, call);
}
/// The pullback of softmax: x̄ = y ∘ (ȳ − ⟨ȳ, y⟩)/T for y, what softmax returned; out may be y or ȳ.
template <class Y, class U, class Out>
void softmax_pullback(cuda_policy const& policy, device_view<Y> y, device_view<U> upstream,
                      device_view<Out> out, double temperature = 1,
                      device_batch const& options = {}) {
  run_device_softmax<softmax_task::softmax_pullback>(
      policy, pullback_of(y, upstream, out, temperature, options));
}
/// The pullback of log_softmax: x̄ = (ȳ − e^y Σȳ)/T for y, what log_softmax returned.
template <class Y, class U, class Out>
void log_softmax_pullback(cuda_policy const& policy, device_view<Y> y, device_view<U> upstream,
                          device_view<Out> out, double temperature = 1,
                          device_batch const& options = {}) {
  run_device_softmax<softmax_task::log_softmax_pullback>(
      policy, pullback_of(y, upstream, out, temperature, options));
}

}  // namespace DIVOT_ABI
}  // namespace divot
