// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/slope_sum.hpp>
#include <divot/row/ground_costs.hpp>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

template <class V>
inline constexpr index lane_size = static_cast<index>(lane_traits<V>::size);
template <class V>
DIVOT_INLINE V load_lane(scalar_of<V> const* from) {
  if constexpr (lane_traits<V>::is_pack) {
    return lane_traits<V>::load(from);
  } else {
    return *from;
  }
}
template <class V>
DIVOT_INLINE void store_lane(scalar_of<V>* to, V const& x) {
  if constexpr (lane_traits<V>::is_pack) {
    lane_traits<V>::store(to, x);
  } else {
    *to = x;
  }
}

/// Weights of rows that are worked on together: weight j of row r at values[j·ground_rows + r].
template <class Sum>
struct slope_weights {
  typename Sum::weight* values = nullptr;
  typename Sum::T* totals = nullptr;  // ground_rows
};

/// Those of the (at most four) rows i from `i` of x: W_ij stands at w[i·row_step + j·column_step].
template <class Sum>
void take_weights(double const* w, index row_step, index column_step, index i, index x_count,
                  index y_count, slope_weights<Sum> const& to) {
  for (index r = 0; r < ground_rows; ++r) {
    double const* const own = w + std::min(i + r, x_count - 1) * row_step;
    double total = 0;
    for (index j = 0; j < y_count; ++j) total += std::abs(own[j * column_step]);
    to.totals[r] = static_cast<typename Sum::T>(total);
    double const scale = Sum::scale_of(total);
    for (index j = 0; j < y_count; ++j) {
      to.values[j * ground_rows + r] = Sum::weight_of(own[j * column_step], scale);
    }
  }
}

/// How many columns of `rows` rows make a tile that stays in the cache.
template <class T>
index tile_columns(index rows) {
  constexpr index bytes = 64 * 1024, line = 64 / static_cast<index>(sizeof(T));
  index const fit = bytes / static_cast<index>(sizeof(T)) / std::max<index>(rows, 1);
  return std::clamp(fit / line * line, line, ground_columns);
}

/// Columns first … first + count of all rows, those that stand under one pack side by side: in the
/// matrix every row lies in a page of its own, more of them than processors remember.
template <class Team>
void take_tile(row_list<typename Team::scalar> const& y, index first, index count,
               typename Team::scalar* tile) {
  using lane = typename Team::lane;
  for (index j = 0; j < y.count; ++j) {
    auto* to = tile + j * lane_size<lane>;
    Team::each(first, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      store_lane(to, lane(place.load(y[j], 0)));
      to += y.count * lane_size<lane>;
    });
  }
}

/// x̄_ik = Σ_j W_ij slope(x_ik − y_jk) for columns k of a tile and the (at most four) rows i from
/// `i`: the pullback of W through the terms; with `add` it is added. x̄'s rows lie `step` apart,
/// from `out`.
template <class Team, class Ground, class Sum>
void pull_tile_back(Ground const& ground, row_list<typename Team::scalar> const& x, index i,
                    typename Team::scalar const* tile, index tile_rows,
                    slope_weights<Sum> const& weights, index first, index count, bool add,
                    typename Team::scalar* out, index step) {
  using lane = typename Team::lane;
  index const last = x.count - 1, rows = std::min(ground_rows, x.count - i);
  auto const *const x0 = x[i], *const x1 = x[std::min(i + 1, last)],
                    *const x2 = x[std::min(i + 2, last)], *const x3 = x[std::min(i + 3, last)];
  auto const* y = tile;
  Team::each(first, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const p0 = place.load(x0, 0), p1 = place.load(x1, 0);
    lane const p2 = place.load(x2, 0), p3 = place.load(x3, 0);
    Sum s0, s1, s2, s3;
    auto const* w = weights.values;
    for (index j = 0; j < tile_rows; ++j, w += ground_rows, y += lane_size<lane>) {
      lane const u = load_lane<lane>(y);
      s0.add(ground, w[0], p0, u);
      s1.add(ground, w[1], p1, u);
      s2.add(ground, w[2], p2, u);
      s3.add(ground, w[3], p3, u);
    }
    lane const g[ground_rows] = {s0.value(weights.totals[0]), s1.value(weights.totals[1]),
                                 s2.value(weights.totals[2]), s3.value(weights.totals[3])};
    for (index r = 0; r < rows; ++r) {
      auto* const to = out + r * step;
      place.store(to, add ? lane(place.load(to, 0) + g[r]) : g[r]);
    }
  });
}

}  // namespace DIVOT_ABI
}  // namespace divot
