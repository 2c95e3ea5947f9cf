// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_sinkhorn_call.hpp>
#include <divot/exec/ground_tiles.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Ground costs between points on a device, in the form that their kernel takes.
template <class Ground, class Storage, class Out>
struct device_costs {
  /// double where the points or the costs are.
  using number = std::conditional_t<std::is_same_v<Storage, double> || std::is_same_v<Out, double>,
                                    double, float>;

  Ground ground;
  device_stack<Storage const> x, y;
  device_stack<Out> to;
};

template <class Ground, class X, class Out>
auto device_costs_of(Ground const& ground, device_stack<X> const& x, device_stack<X> const& y,
                     device_stack<Out> const& to) {
  static_assert(
      std::is_same_v<Ground, ground::l1> || std::is_same_v<Ground, ground::l2> ||
          std::is_same_v<Ground, ground::squared_l2>,
      "divot: on a device ground costs are ground::l1, ground::l2 and ground::squared_l2");
  check_stack(x, "the rows' points");
  check_stack(y, "the columns' points");
  check_stack(to, "the costs");
  if (x.count != y.count || x.count != to.count) {
    fail("ground_costs: there are ", x.count, " problems of rows, ", y.count, " of columns and ",
         to.count, " of costs");
  }
  if (x.cols != y.cols) {
    fail("ground_costs: the rows' points have ", x.cols, " coordinates, the columns' ", y.cols);
  }
  if (to.rows != x.rows || to.cols != y.rows) {
    fail("ground_costs: the costs are ", to.rows, " x ", to.cols, " for ", x.rows, " and ", y.rows,
         " points");
  }
  check_apart(extent_of(to), extent_of(x), false, "the costs and the rows' points");
  check_apart(extent_of(to), extent_of(y), false, "the costs and the columns' points");
  return device_costs<Ground, std::remove_const_t<X>, Out>{ground, x, y, to};
}

template <class Tiles, class Call>
DIVOT_HD index cost_tiles(Call const& call) {
  return call.to.count * Tiles::tiles(call.to.rows) * Tiles::tiles(call.to.cols);
}

/// One tile of them, by its threads.
template <class Tiles, class Call>
DIVOT_HD void find_costs(Call const& call, index item, typename Tiles::memory& memory) {
  using storage = std::remove_const_t<std::remove_pointer_t<decltype(call.x.data)>>;
  using rows = gathered_rows<storage const>;
  index const across = Tiles::tiles(call.to.cols), down = Tiles::tiles(call.to.rows);
  index const j0 = item % across * Tiles::edge, i0 = item / across % down * Tiles::edge;
  index const k = item / across / down;
  Tiles::add_costs(call.ground, rows{call.x.at(k, 0), call.x.row_stride, nullptr, call.x.rows},
                   rows{call.y.at(k, 0), call.y.row_stride, nullptr, call.y.rows}, i0, j0, 0,
                   call.x.cols, memory, [&](index i, index j, double sum) {
                     using out = std::remove_pointer_t<decltype(call.to.data)>;
                     call.to.at(k, i)[j] = as_stored<out>(ground_cost_of(call.ground, sum));
                   });
}

}  // namespace DIVOT_ABI
}  // namespace divot
