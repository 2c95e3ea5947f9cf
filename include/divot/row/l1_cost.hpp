// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/core/types.hpp>

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
inline constexpr index l1_rows = 4;
/// Columns of a tile: those of all rows stay in the second-level cache meanwhile.
inline constexpr index l1_columns = 1024;

/// C_ij += Σ_k |x_ik − y_jk| over columns first … first + count, for the (at most four) rows i from
/// `i` and all rows j of the other side. cost holds C's row i.
template <class Team>
void add_l1_costs(row_list<typename Team::scalar> const& x, index i,
                  row_list<typename Team::scalar> const& y, index first, index count, double* cost,
                  index step) {
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using accumulator = typename Team::accumulator;
  index const last = x.count - 1, rows = std::min(l1_rows, x.count - i);
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
      a0 += math::abs(lane(p0 - u));
      a1 += math::abs(lane(p1 - u));
      a2 += math::abs(lane(p2 - u));
      a3 += math::abs(lane(p3 - u));
      b0 += math::abs(lane(p0 - v));
      b1 += math::abs(lane(p1 - v));
      b2 += math::abs(lane(p2 - v));
      b3 += math::abs(lane(p3 - v));
    });
    accumulator const a[l1_rows] = {a0, a1, a2, a3}, b[l1_rows] = {b0, b1, b2, b3};
    for (index r = 0; r < rows; ++r) {
      cost[r * step + j] += static_cast<double>(Team::sum(a[r]));
      if (two) cost[r * step + j + 1] += static_cast<double>(Team::sum(b[r]));
    }
  }
}

/// x̄_ik = Σ_j W_ij sign(x_ik − y_jk) for k < count, 0 at ties, for the (at most four) rows i from
/// `i`: the pullback of W through C. W_ij stands at w[i·row_step + j·column_step]. x̄ lies `step`
/// apart; `spare` has room for four numbers a row of the other side.
///
/// The sign is the difference times the type's largest power of two, cut off at ±1. Between numbers
/// next to the smallest it may be less, where the softmax's pullback multiplies it by one of them.
template <class Team>
void pull_l1_back(row_list<typename Team::scalar> const& x, index i,
                  row_list<typename Team::scalar> const& y, double const* w, index row_step,
                  index column_step, index count, typename Team::scalar* out, index step,
                  typename Team::scalar* spare) {
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  index const last = x.count - 1, rows = std::min(l1_rows, x.count - i);
  index const at[l1_rows] = {i, std::min(i + 1, last), std::min(i + 2, last),
                             std::min(i + 3, last)};
  for (index j = 0; j < y.count; ++j) {
    for (index r = 0; r < l1_rows; ++r) {
      spare[j * l1_rows + r] = static_cast<T>(w[at[r] * row_step + j * column_step]);
    }
  }
  T const *const x0 = x[at[0]], *const x1 = x[at[1]], *const x2 = x[at[2]], *const x3 = x[at[3]];
  lane const one(T(1)), huge = constant<lane>(std::is_same_v<T, float> ? 0x1p127 : 0x1p1023);
  auto const sign = [&](lane const& p, lane const& u) DIVOT_LAMBDA_INLINE {
    return lane(math::min(math::max(lane((p - u) * huge), lane(-one)), one));
  };
  for (index first = 0; first < count; first += l1_columns) {
    Team::each(first, std::min(l1_columns, count - first),
               [&](auto const& place) DIVOT_LAMBDA_INLINE {
                 lane const p0 = place.load(x0, 0), p1 = place.load(x1, 0);
                 lane const p2 = place.load(x2, 0), p3 = place.load(x3, 0);
                 lane const none(T(0));
                 lane g0 = none, g1 = none, g2 = none, g3 = none;
                 T const* weight = spare;
                 for (index j = 0; j < y.count; ++j, weight += l1_rows) {
                   lane const u = place.load(y[j], 0);
                   g0 = math::fma(lane(weight[0]), sign(p0, u), g0);
                   g1 = math::fma(lane(weight[1]), sign(p1, u), g1);
                   g2 = math::fma(lane(weight[2]), sign(p2, u), g2);
                   g3 = math::fma(lane(weight[3]), sign(p3, u), g3);
                 }
                 lane const g[l1_rows] = {g0, g1, g2, g3};
                 for (index r = 0; r < rows; ++r) place.store(out + r * step, g[r]);
               });
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
