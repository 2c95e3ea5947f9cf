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

/// Rows whose slopes are found together.
inline constexpr index pulled_rows = 2;

/// Their weights: weight j of row r at values[j·pulled_rows + r].
template <class Sum>
struct slope_weights {
  typename Sum::weight* values = nullptr;
  typename Sum::T* totals = nullptr;  // pulled_rows
};

/// Those of the (at most two) rows i from `i` of x: W_ij stands at w[i·row_step + j·column_step].
template <class Sum>
void take_weights(double const* w, index row_step, index column_step, index i, index x_count,
                  index y_count, slope_weights<Sum> const& to) {
  for (index r = 0; r < pulled_rows; ++r) {
    double const* const own = w + std::min(i + r, x_count - 1) * row_step;
    double total = 0;
    for (index j = 0; j < y_count; ++j) total += std::abs(own[j * column_step]);
    to.totals[r] = static_cast<typename Sum::T>(total);
    double const scale = Sum::scale_of(total);
    for (index j = 0; j < y_count; ++j) {
      to.values[j * pulled_rows + r] = Sum::weight_of(own[j * column_step], scale);
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

/// Where a tile's slopes go: rows `step` apart, written or, with `add`, added to what is there.
template <class T>
struct slope_rows {
  T* data = nullptr;
  index step = 0;
  bool add = false;

  template <class V, class Place>
  DIVOT_INLINE void take(Place const& place, index r, index shift, V const& slope) const {
    T* const to = data + r * step + shift;
    place.store(to, add ? V(place.load(to, 0) + slope) : slope);
  }
};

/// x̄_ik = Σ_j W_ij slope(x_ik − y_jk) for columns k of a tile and the (at most two) rows i from
/// `i`: the pullback of W through the terms.
///
/// Two rows and two packs: sums enough to hide each other's latency, and registers for all of it.
template <class Team, class Ground, class Sum>
void pull_tile_back(Ground const& ground, row_list<typename Team::scalar> const& x, index i,
                    typename Team::scalar const* tile, index tile_rows,
                    slope_weights<Sum> const& weights, index first, index count,
                    slope_rows<typename Team::scalar> const& to) {
  using lane = typename Team::lane;
  constexpr index width = lane_size<lane>;
  bool const two = i + 1 < x.count;
  auto const *const x0 = x[i], *const x1 = x[two ? i + 1 : i];
  auto const total0 = weights.totals[0], total1 = weights.totals[1];
  auto const* y = tile;
  index k = first;
  for (; k + 2 * width <= first + count; k += 2 * width) {
    Team::each(k, width, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const p0 = place.load(x0, 0), p1 = place.load(x1, 0);
      lane const q0 = place.load(x0 + width, 0), q1 = place.load(x1 + width, 0);
      Sum s0, s1, t0, t1;
      auto const* w = weights.values;
      auto const* z = y + tile_rows * width;
      for (index j = 0; j < tile_rows; ++j, w += pulled_rows, y += width, z += width) {
        lane const u = load_lane<lane>(y), v = load_lane<lane>(z);
        s0.add(ground, w[0], p0, u);
        t0.add(ground, w[0], q0, v);
        s1.add(ground, w[1], p1, u);
        t1.add(ground, w[1], q1, v);
      }
      y = z;
      to.take(place, 0, 0, s0.value(total0));
      to.take(place, 0, width, t0.value(total0));
      if (!two) return;
      to.take(place, 1, 0, s1.value(total1));
      to.take(place, 1, width, t1.value(total1));
    });
  }
  // what is left of the tile: less than two packs
  Team::each(k, first + count - k, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const p0 = place.load(x0, 0), p1 = place.load(x1, 0);
    Sum s0, s1;
    auto const* w = weights.values;
    for (index j = 0; j < tile_rows; ++j, w += pulled_rows, y += width) {
      lane const u = load_lane<lane>(y);
      s0.add(ground, w[0], p0, u);
      s1.add(ground, w[1], p1, u);
    }
    to.take(place, 0, 0, s0.value(total0));
    if (two) to.take(place, 1, 0, s1.value(total1));
  });
}

}  // namespace DIVOT_ABI
}  // namespace divot
