// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/device_view.hpp>
#include <divot/core/sinkhorn.hpp>

#include <cstddef>
#include <type_traits>

namespace divot {

/// Matrices of one shape in a device's memory, one behind the other.
///
/// Element (i, j) of matrix k stands at data[k * stride + i * row_stride + j].
template <class Storage>
struct device_stack {
  Storage* data = nullptr;
  index count = 0;
  index rows = 0;
  index cols = 0;
  index row_stride = 0;
  index stride = 0;

  constexpr device_stack() = default;
  constexpr device_stack(Storage* d, index matrices, index r, index c)
      : device_stack(d, matrices, r, c, c, r * c) {}
  constexpr device_stack(Storage* d, index matrices, index r, index c, index row_step, index step)
      : data(d), count(matrices), rows(r), cols(c), row_stride(row_step), stride(step) {}
  /// What may be written may be read.
  template <class Other>
  requires(std::is_same_v<Other const, Storage> && !std::is_const_v<Other>) constexpr device_stack(
      device_stack<Other> const& x)  // NOLINT: the same matrices
      : data(x.data),
        count(x.count),
        rows(x.rows),
        cols(x.cols),
        row_stride(x.row_stride),
        stride(x.stride) {}
  DIVOT_HD constexpr Storage* at(index k, index i) const {
    return data + k * stride + i * row_stride;
  }
};

/// Where the solutions of transport problems go on a device. All of it is optional, and lies in the
/// device's memory; one entry a problem, or one row. What they are is said of transport_solution.
template <class Plan = double>
struct device_transport {
  device_span<double> transport_cost = {}, entropic = {};
  device_view<double> row_potentials = {}, column_potentials = {};
  device_span<double> row_error = {}, column_error = {};
  device_span<int> sweeps = {};
  device_span<transport_status> status = {};
  /// P: also the entropic value's gradient with respect to the costs.
  device_stack<Plan> plan = {};
  /// Memory to work in, `sinkhorn_batch_bytes` of it at least and aligned to 256; without it calls
  /// take some from the device's pool, in the order of the stream.
  device_span<std::byte> workspace = {};
};

}  // namespace divot
