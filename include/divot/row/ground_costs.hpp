// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/core/types.hpp>
#include <divot/family/sinkd_ground.hpp>

#include <algorithm>

namespace divot {
inline namespace DIVOT_ABI {

/// Rows of a matrix, wherever each of them lies.
template <class T>
struct row_list {
  T const* const* rows = nullptr;
  index count = 0;
  T const* operator[](index i) const { return rows[i]; }
};

/// Rows that are worked on together: what is loaded of the other side serves all of them.
inline constexpr index ground_rows = 4;
/// Columns of a tile: those of all rows stay in the second-level cache meanwhile.
inline constexpr index ground_columns = 1024;

/// Rows of the other side that are gone through before the next ones of the first: with the tile's
/// columns they stay in the second-level cache.
inline constexpr index ground_others = 32;

/// C_ij += Σ_k term(x_ik − y_jk) over columns first … first + count, for the (at most four) rows i
/// from `i` and the rows j from `begin` to `end`. cost holds C's row i.
template <class Team, class Ground>
void add_ground_terms(Ground const& ground, row_list<typename Team::scalar> const& x, index i,
                      row_list<typename Team::scalar> const& y, index begin, index end, index first,
                      index count, double* cost, index step) {
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using accumulator = typename Team::accumulator;
  index const last = x.count - 1, rows = std::min(ground_rows, x.count - i);
  T const *const x0 = x[i], *const x1 = x[std::min(i + 1, last)],
                 *const x2 = x[std::min(i + 2, last)], *const x3 = x[std::min(i + 3, last)];
  for (index j = begin; j < end; j += 2) {
    bool const two = j + 1 < end;
    T const *const y0 = y[j], *const y1 = y[two ? j + 1 : j];
    accumulator const none(T(0));
    accumulator a0 = none, a1 = none, a2 = none, a3 = none;
    accumulator b0 = none, b1 = none, b2 = none, b3 = none;
    Team::each(first, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const u = place.load(y0, 0), v = place.load(y1, 0);
      lane const p0 = place.load(x0, 0), p1 = place.load(x1, 0);
      lane const p2 = place.load(x2, 0), p3 = place.load(x3, 0);
      a0 += ground_term(ground, lane(p0 - u));
      a1 += ground_term(ground, lane(p1 - u));
      a2 += ground_term(ground, lane(p2 - u));
      a3 += ground_term(ground, lane(p3 - u));
      b0 += ground_term(ground, lane(p0 - v));
      b1 += ground_term(ground, lane(p1 - v));
      b2 += ground_term(ground, lane(p2 - v));
      b3 += ground_term(ground, lane(p3 - v));
    });
    accumulator const a[ground_rows] = {a0, a1, a2, a3}, b[ground_rows] = {b0, b1, b2, b3};
    for (index r = 0; r < rows; ++r) {
      cost[r * step + j] += static_cast<double>(Team::sum(a[r]));
      if (two) cost[r * step + j + 1] += static_cast<double>(Team::sum(b[r]));
    }
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
