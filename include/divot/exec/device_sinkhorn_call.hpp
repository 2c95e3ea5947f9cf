// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_checks.hpp>
#include <divot/exec/device_plan.hpp>
#include <divot/exec/device_sinkhorn.hpp>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

template <class Storage>
void check_stack(device_stack<Storage> const& x, char const* who) {
  if (x.count < 0 || x.rows < 0 || x.cols < 0) {
    fail(who, " are ", x.count, " matrices of ", x.rows, " x ", x.cols);
  }
  if (x.count * x.rows * x.cols == 0) return;
  if (x.data == nullptr) fail(who, ": a null pointer");
  if (x.rows > 1 && x.row_stride < x.cols) {
    fail(who, ": rows are ", x.row_stride, " apart and have ", x.cols, " columns");
  }
  index const whole = (x.rows - 1) * x.row_stride + x.cols;
  if (x.count > 1 && x.stride < whole) {
    fail(who, ": matrices are ", x.stride, " apart and reach over ", whole, " numbers");
  }
}
template <class Storage>
device_extent extent_of(device_stack<Storage> const& x) {
  if (x.count * x.rows * x.cols == 0) return {};
  auto const begin = reinterpret_cast<std::uintptr_t>(x.data);
  auto const numbers =
      static_cast<std::uintptr_t>((x.count - 1) * x.stride + (x.rows - 1) * x.row_stride + x.cols);
  return {begin, begin + numbers * sizeof(Storage),
          static_cast<std::uintptr_t>(x.stride) * sizeof(Storage)};
}

/// Options that a device's sinkhorn_batch takes.
inline void check_device_sinkhorn(sinkhorn_options const& o) {
  char const* const who = "sinkhorn_batch";
  if (!(o.epsilon > 0 && o.epsilon <= 1e300)) {
    fail(who, ": epsilon is ", o.epsilon, "; it must be positive and finite");
  }
  if (!(o.tolerance >= 0 && std::isfinite(o.tolerance))) {
    fail(who, ": the tolerance is ", o.tolerance, "; it must be finite and not negative");
  }
  if (o.sweeps < 0 || o.max_sweeps < 1 || o.newton_steps < 0) {
    fail(who, ": sweeps, max_sweeps and newton_steps are ", o.sweeps, ", ", o.max_sweeps, " and ",
         o.newton_steps, "; they must be at least 0, 1 and 0");
  }
  if (!std::isinf(o.row_penalty) || !std::isinf(o.column_penalty)) {
    fail(who, ": penalties are not there on a device: masses are kept exactly");
  }
  if (!o.start.empty()) {
    fail(who, ": a start is not there on a device: it would lie in the host's memory");
  }
}

/// The call, checked, of problems with these costs and masses.
template <class Storage, class Mass, class Plan>
auto device_sinkhorn_of(device_stack<Storage> const& costs, device_view<Mass> const& row_masses,
                        device_view<Mass> const& column_masses, sinkhorn_options const& options,
                        device_transport<Plan> const& to) {
  using storage = std::remove_const_t<Storage>;
  device_sinkhorn<storage, std::remove_const_t<Mass>, Plan> call{};
  check_device_sinkhorn(options);
  check_stack(costs, "the costs");
  auto const check_masses = [&](auto const& of, index count, char const* who) {
    if (of.data == nullptr && of.rows == 0) return;
    check_view(of, who);
    if (of.cols != count || (of.rows != costs.count && of.rows != 1)) {
      fail(who, " are ", of.rows, " x ", of.cols, "; there are ", costs.count, " problems of ",
           costs.rows, " x ", costs.cols, ": a row a problem, or one for all");
    }
  };
  check_masses(row_masses, costs.rows, "the row masses");
  check_masses(column_masses, costs.cols, "the column masses");
  auto const check_numbers = [&](auto const& of, char const* name) {
    if (!of.empty() && of.size != costs.count) {
      fail("device_transport::", name, " has ", of.size, " entries for ", costs.count, " problems");
    }
  };
  check_numbers(to.transport_cost, "transport_cost");
  check_numbers(to.entropic, "entropic");
  check_numbers(to.row_error, "row_error");
  check_numbers(to.column_error, "column_error");
  check_numbers(to.sweeps, "sweeps");
  check_numbers(to.status, "status");
  auto const check_rows = [&](auto const& of, index count, char const* name) {
    if (of.data == nullptr) return;
    check_view(of, name);
    if (of.rows != costs.count || of.cols != count) {
      fail("device_transport::", name, " is ", of.rows, " x ", of.cols, "; it must be ",
           costs.count, " x ", count);
    }
  };
  check_rows(to.row_potentials, costs.rows, "row_potentials");
  check_rows(to.column_potentials, costs.cols, "column_potentials");
  if (to.plan.data != nullptr) {
    check_stack(to.plan, "device_transport::plan");
    if (to.plan.count != costs.count || to.plan.rows != costs.rows || to.plan.cols != costs.cols) {
      fail("device_transport::plan has ", to.plan.count, " matrices of ", to.plan.rows, " x ",
           to.plan.cols, "; there are ", costs.count, " problems of ", costs.rows, " x ",
           costs.cols);
    }
    bool const same_rows = to.plan.row_stride == costs.row_stride;
    check_apart(extent_of(to.plan), extent_of(costs), same_rows, "the plans and the costs");
  }
  call.costs = costs;
  call.row_masses = row_masses;
  call.column_masses = column_masses;
  call.epsilon = options.epsilon;
  call.tolerance = options.tolerance > 0 ? options.tolerance : is_narrow<storage> ? 1e-5 : 1e-9;
  call.sweeps = options.sweeps;
  call.max_sweeps = options.max_sweeps;
  call.newton_steps = options.newton_steps;
  call.to = to;
  return call;
}

/// Who solves a problem: a warp, a block, or a cluster of them.
enum class sinkhorn_team { warp, block, cluster };

/// How a batch is laid out. `stride` bytes are a group's: in shared memory, or in global memory.
struct sinkhorn_layout : device_layout {
  sinkhorn_team team = sinkhorn_team::block;
};

/// Bytes that a group works in: what it has taken of the queue, and the problem.
inline index sinkhorn_group_bytes(index rows, index columns) {
  return 32 + sinkhorn_memory().take(nullptr, rows, columns) * static_cast<index>(sizeof(double));
}

/// By a problem's size alone, never by how many there are: small ones a warp each, those that fit
/// into a block's shared memory a block, larger ones blocks that work in global memory.
inline sinkhorn_layout layout_of_problems(device_limits const& device, index count, index rows,
                                          index columns) {
  constexpr int warps = 4;
  index const bytes = rounded_up(sinkhorn_group_bytes(rows, columns), 32);
  index const fits = device.shared_bytes - (2 << 10);
  index const items = std::max(parts_of(rows) * columns, parts_of(columns) * rows);
  sinkhorn_layout l;
  l.stride = static_cast<std::size_t>(bytes);
  if (rows <= 32 && columns <= 32 && warps * bytes <= fits) {
    l.team = sinkhorn_team::warp;
    l.threads = 32 * warps;
    l.shared_bytes = static_cast<std::size_t>(warps * bytes);
    l.grid = static_cast<int>(
        std::clamp<index>((count + warps - 1) / warps, 1, index(16) * device.processors));
    return l;
  }
  l.threads = static_cast<int>(std::clamp<index>(rounded_up(items, 32), 32, most_block_threads));
  if (bytes <= fits) {
    l.shared_bytes = static_cast<std::size_t>(bytes);
    l.grid = static_cast<int>(std::clamp<index>(count, 1, index(16) * device.processors));
    return l;
  }
  l.team = sinkhorn_team::cluster;
  l.stride = static_cast<std::size_t>(rounded_up(bytes, 256));
  index const most = std::min<index>(device.cluster, 8);
  while (2 * l.cluster <= most && l.cluster * l.threads < items) l.cluster *= 2;
  l.grid = static_cast<int>(
               std::clamp<index>(2 * device.processors / l.cluster, 1, std::max<index>(count, 1))) *
           l.cluster;
  return l;
}

/// Solves problem after problem: next() is the number of the next one, asked by one of the group's
/// threads for all. `memory`: sinkhorn_group_bytes.
template <class Group, class Call, class Next>
DIVOT_HD void solve_from_queue(Call const& call, double* memory, Next const& next) {
  auto* const slot = reinterpret_cast<index*>(memory);
  for (;;) {
    if (Group::owns(0)) *slot = next();
    Group::barrier();
    index const p = *slot;
    Group::barrier();  // before it is overwritten
    if (p >= call.costs.count) return;
    sinkhorn_problem_of_batch<Group, Call>(call, p, memory + 4).run();
    Group::barrier();
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
