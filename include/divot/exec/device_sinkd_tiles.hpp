// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_sinkd.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// Tiles of costs: a problem's, of each slice of classes where those stand apart.
template <class Tiles, class Call>
DIVOT_HD index sinkd_cost_tiles(Call const& call) {
  index const side = Tiles::tiles(call.most);
  return call.problems * side * side * (call.apart ? Tiles::slices(call.classes) : 1);
}

/// One of them, by the threads of a tile.
template <class Tiles, class Call>
DIVOT_HD void find_sinkd_costs(Call const& call, index item, typename Tiles::memory& memory) {
  index const side = Tiles::tiles(call.most), slices = Tiles::slices(call.classes);
  index const j0 = item % side * Tiles::edge, i0 = item / side % side * Tiles::edge;
  index const rest = item / side / side;
  index const p = call.apart ? rest / slices : rest, n = call.counts[p];
  if (i0 >= n || j0 >= n || call.is_lost(p)) return;
  index const first = call.apart ? rest % slices : 0, last = call.apart ? first + 1 : slices;
  double* const to = call.apart ? call.parts + rest * call.most * call.most : call.costs_of(p);
  auto const x = call.side(call.between == sinkd_between::teachers, p);
  auto const y = call.side(call.between != sinkd_between::students, p);
  for (index s = first; s < last; ++s) {
    index const begin = s * Tiles::slice;
    index const end = s + 1 < slices ? begin + Tiles::slice : call.classes;
    Tiles::add_costs(call.ground, x, y, i0, j0, begin, end, memory,
                     [&](index i, index j, double sum) {
                       double& all = to[i * n + j];
                       all = s > first ? all + sum : sum;
                     });
  }
}

/// What the sums over classes come to: entry k of problem p's costs. slices: how many there are.
template <class Call>
DIVOT_HD void settle_sinkd_cost(Call const& call, index slices, index p, index k) {
  index const n = call.counts[p], square = call.most * call.most;
  if (k >= n * n) return;
  double& cost = call.costs_of(p)[k];
  double sum = call.apart ? 0 : cost;
  if (call.apart) {
    for (index s = 0; s < slices; ++s) sum += call.parts[(p * slices + s) * square + k];
  }
  cost = ground_cost_of(call.ground, sum);
}

/// Tiles of a side's slopes.
template <class Tiles, class Call>
DIVOT_HD index sinkd_slope_tiles(Call const& call) {
  return call.problems * Tiles::tiles(call.most) * Tiles::tiles(call.classes);
}

/// One of them: ∂L/∂(what is compared) into `bars`, or of a side's own problem added to them.
template <class Tiles, class Call>
DIVOT_HD void pull_sinkd_tile(Call const& call, bool of_teacher, index item,
                              typename Tiles::memory& memory) {
  index const side = Tiles::tiles(call.most), across = Tiles::tiles(call.classes);
  index const i0 = item % side * Tiles::edge, k0 = item / side % across * Tiles::edge;
  index const p = item / side / across, n = call.counts[p];
  if (i0 >= n || call.is_lost(p)) return;
  bool const turned = of_teacher && !call.biased();
  ground_weights const weights{call.slopes_of(p), turned ? 1 : n, turned ? n : 1};
  auto const own = call.side(of_teacher, p), other = call.side(of_teacher == call.biased(), p);
  Tiles::pull_back(call.ground, own, other, weights, i0, k0, call.classes, memory,
                   gathered_rows<typename Call::number>{call.bars, call.step, own.places, n},
                   call.biased());
}

}  // namespace DIVOT_ABI
}  // namespace divot
