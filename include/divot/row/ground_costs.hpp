// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/core/types.hpp>
#include <divot/family/sinkd_ground.hpp>

#include <algorithm>
#include <type_traits>

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

/// C_ij += Σ_k term(x_ik − y_jk) over columns first … first + count, for the (at most four) rows i
/// from `i` and all rows j of the other side. cost holds C's row i.
template <class Team, class Ground>
void add_ground_terms(Ground const& ground, row_list<typename Team::scalar> const& x, index i,
                      row_list<typename Team::scalar> const& y, index first, index count,
                      double* cost, index step) {
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using accumulator = typename Team::accumulator;
  index const last = x.count - 1, rows = std::min(ground_rows, x.count - i);
  T const *const x0 = x[i], *const x1 = x[std::min(i + 1, last)],
                 *const x2 = x[std::min(i + 2, last)], *const x3 = x[std::min(i + 3, last)];
  for (index j = 0; j < y.count; j += 2) {
    bool const two = j + 1 < y.count;
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

/// The slope of one term, up to the cost's factor.
template <class V, class Ground>
DIVOT_INLINE V pulled_slope(Ground const& ground, V const& d) {
  return ground_slope(ground, d);
}
/// The sign is the difference times the type's largest power of two, cut off at ±1. Between numbers
/// next to the smallest it may be less, where the softmax's pullback multiplies it by one of them.
template <class V>
DIVOT_INLINE V pulled_slope(ground::l1, V const& d) {
  V const one(scalar_of<V>(1));
  V const huge = constant<V>(std::is_same_v<scalar_of<V>, float> ? 0x1p127 : 0x1p1023);
  return V(math::min(math::max(V(d * huge), V(-one)), one));
}

/// x̄_ik = Σ_j W_ij slope(x_ik − y_jk) for k < count, for the (at most four) rows i from `i`: the
/// pullback of W through the terms; with `add` it is added. W_ij stands at
/// w[i·row_step + j·column_step]. x̄ lies `step` apart, four rows of it; `spare` has room for four
/// numbers a row of the other side.
template <class Team, class Ground>
void pull_ground_back(Ground const& ground, row_list<typename Team::scalar> const& x, index i,
                      row_list<typename Team::scalar> const& y, double const* w, index row_step,
                      index column_step, index count, bool add, typename Team::scalar* out,
                      index step, typename Team::scalar* spare) {
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  index const last = x.count - 1, rows = std::min(ground_rows, x.count - i);
  index const at[ground_rows] = {i, std::min(i + 1, last), std::min(i + 2, last),
                                 std::min(i + 3, last)};
  for (index j = 0; j < y.count; ++j) {
    for (index r = 0; r < ground_rows; ++r) {
      spare[j * ground_rows + r] = static_cast<T>(w[at[r] * row_step + j * column_step]);
    }
  }
  T const *const x0 = x[at[0]], *const x1 = x[at[1]], *const x2 = x[at[2]], *const x3 = x[at[3]];
  for (index first = 0; first < count; first += ground_columns) {
    Team::each(first, std::min(ground_columns, count - first),
               [&](auto const& place) DIVOT_LAMBDA_INLINE {
                 lane const p0 = place.load(x0, 0), p1 = place.load(x1, 0);
                 lane const p2 = place.load(x2, 0), p3 = place.load(x3, 0);
                 lane const none(T(0));
                 lane g0 = none, g1 = none, g2 = none, g3 = none;
                 if (add) {
                   g0 = place.load(out, 0), g1 = place.load(out + step, 0);
                   g2 = place.load(out + 2 * step, 0), g3 = place.load(out + 3 * step, 0);
                 }
                 T const* weight = spare;
                 for (index j = 0; j < y.count; ++j, weight += ground_rows) {
                   lane const u = place.load(y[j], 0);
                   g0 = math::fma(lane(weight[0]), pulled_slope(ground, lane(p0 - u)), g0);
                   g1 = math::fma(lane(weight[1]), pulled_slope(ground, lane(p1 - u)), g1);
                   g2 = math::fma(lane(weight[2]), pulled_slope(ground, lane(p2 - u)), g2);
                   g3 = math::fma(lane(weight[3]), pulled_slope(ground, lane(p3 - u)), g3);
                 }
                 lane const g[ground_rows] = {g0, g1, g2, g3};
                 for (index r = 0; r < rows; ++r) place.store(out + r * step, g[r]);
               });
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
