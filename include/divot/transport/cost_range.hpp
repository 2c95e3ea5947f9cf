// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/transport/costs.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// A problem of points has a kernel in memory up to this size, and its costs are looked through.
inline constexpr double most_entries_in_memory = 1 << 22;

/// The lowest and the highest cost, or bounds of them; neither finite if some cost is not. Team: of
/// Costs::scalar.
template <class Team, class Blocks, class Costs>
std::pair<double, double> range_of_costs(Blocks const& blocks, Costs const& costs) {
  if constexpr (Costs::has_points) {
    double const entries = static_cast<double>(costs.rows()) * static_cast<double>(costs.cols());
    if (entries > most_entries_in_memory) {
      double const bound = costs.bound();
      if (std::isfinite(bound)) return {0, bound};
    }
  }
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  constexpr double end = HUGE_VAL;
  Eigen::Index const m = costs.cols();
  using vector = typename transport_types<Costs>::vector;
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> spare(Costs::has_points ? m : 0,
                                                         blocks.workers());
  vector low = vector::Constant(blocks.workers(), end), high = -low;
  blocks.each([&](Eigen::Index first, Eigen::Index last, int me) {
    typename Team::accumulator nothing(T(0));
    lane lowest(static_cast<T>(end)), highest(static_cast<T>(-end));
    for (Eigen::Index i = first; i < last; ++i) {
      T const* const c = costs.template row<Team>(i, spare.col(me).data());
      typename Team::accumulator own(T(0));  // rows do not wait for each other's sums
      Team::each(0, m, [&](auto const& place) DIVOT_LAMBDA_INLINE {
        lowest = math::min(lowest, place.load(c, end));
        highest = math::max(highest, place.load(c, -end));
        own += place.keep(lane(place.load(c, 0) * lane(T(0))));
      });
      nothing += own;
    }
    bool const finite = Team::sum(nothing) == 0;
    double const least = static_cast<double>(Team::smallest(lowest));
    double const most = static_cast<double>(Team::largest(highest));
    low(me) = std::min(low(me), finite ? least : -end);
    high(me) = std::max(high(me), finite ? most : end);
  });
  return {low.minCoeff(), high.maxCoeff()};
}

}  // namespace DIVOT_ABI
}  // namespace divot
