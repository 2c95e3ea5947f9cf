// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Batches of transport problems on a device with operands on the host, for tests that nvcc does not
// translate.

#include <divot/core/sinkhorn.hpp>

#include <cuda/device.hpp>

#include <vector>

namespace device_test {

/// Problems of one shape; masses are rows, a problem each, or none.
template <class T>
struct transport_batch {
  divot::index count, rows, columns;
  std::vector<T> costs;
  std::vector<double> a, b;
};

struct solved_batch {
  std::vector<double> transport_cost, entropic, row_error, column_error, f, g, plan;
  std::vector<int> sweeps;
  std::vector<divot::transport_status> status;

  bool operator==(solved_batch const&) const = default;
};

template <class T>
solved_batch solve(transport_batch<T> const& p, divot::sinkhorn_options const& options,
                   how way = how::plain);

}  // namespace device_test
