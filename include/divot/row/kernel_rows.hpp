// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/core/types.hpp>

#include <algorithm>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// Rows of a kernel that are worked on together: what is loaded of the columns' numbers serves all
/// of them, and their sums do not wait for each other.
inline constexpr index kernel_rows = 8;

/// body(i) for i = 0 … kernel_rows − 1, each a constant.
template <class Body>
DIVOT_INLINE void each_kernel_row(Body const& body) {
  [&]<int... I>(std::integer_sequence<int, I...>) DIVOT_LAMBDA_INLINE {
    (body(std::integral_constant<int, I>()), ...);
  }
  (std::make_integer_sequence<int, kernel_rows>());
}

/// Up to eight rows of a matrix; those that are not there are the last one again.
template <class T>
struct kernel_row_list {
  T* at[kernel_rows];
  index count;
  kernel_row_list(T* data, index step, index first, index last)
      : count(std::min(kernel_rows, last - first)) {
    for (index i = 0; i < kernel_rows; ++i) at[i] = data + std::min(first + i, last - 1) * step;
  }
};

/// sums_i = Σ_j K_ij v_j.
template <class Team>
void multiply_kernel_rows(kernel_row_list<typename Team::scalar const> const& k,
                          typename Team::scalar const* v, index columns,
                          typename Team::row (&sums)[kernel_rows]) {
  using accumulator = typename Team::accumulator;
  accumulator sum[kernel_rows];
  each_kernel_row([&](auto i)
                      DIVOT_LAMBDA_INLINE { sum[i] = accumulator(typename Team::scalar(0)); });
  Team::each(0, columns, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    auto const factor = place.load(v, 0);
    each_kernel_row([&](auto i) DIVOT_LAMBDA_INLINE { sum[i] += place.load(k.at[i], 0) * factor; });
  });
  Team::sums(sum, sums);
}

/// t_j += Σ_i u_i K_ij; u is 0 for rows that are not there.
template <class Team>
void add_kernel_rows(kernel_row_list<typename Team::scalar const> const& k,
                     typename Team::scalar const (&u)[kernel_rows], index columns,
                     typename Team::scalar* t) {
  using lane = typename Team::lane;
  Team::each(0, columns, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane sum = place.load(t, 0);
    each_kernel_row([&](auto i) DIVOT_LAMBDA_INLINE {
      sum = math::fma(lane(u[i]), place.load(k.at[i], 0), sum);
    });
    place.store(t, sum);
  });
}

/// t_j = Σ_i u_i K_ij of all rows of a small kernel: four packs of sums at a time stay in
/// registers.
template <class Team>
void multiply_small_kernel(typename Team::scalar const* k, index step, index rows,
                           typename Team::scalar const* u, index columns,
                           typename Team::scalar* t) {
  using lane = typename Team::lane;
  using place = typename Team::full_place;
  index const whole = columns - columns % (4 * Team::width);
  for (index j = 0; j < whole; j += 4 * Team::width) {
    place const at[4] = {place(j), place(j + Team::width), place(j + 2 * Team::width),
                         place(j + 3 * Team::width)};
    lane const nothing(typename Team::scalar(0));
    lane sums[4] = {nothing, nothing, nothing, nothing};
    for (index i = 0; i < rows; ++i) {
      lane const own(u[i]);
      for (int r = 0; r < 4; ++r) sums[r] = math::fma(own, at[r].load(k + i * step, 0), sums[r]);
    }
    for (int r = 0; r < 4; ++r) at[r].store(t, sums[r]);
  }
  Team::each(whole, columns - whole, [&](auto const& rest) DIVOT_LAMBDA_INLINE {
    lane sum(typename Team::scalar(0));
    for (index i = 0; i < rows; ++i) {
      sum = math::fma(lane(u[i]), rest.load(k + i * step, 0), sum);
    }
    rest.store(t, sum);
  });
}

/// Of rows i of u_i K_ij v_j: sums_i = Σ_j K_ij v_j, paid_i = Σ_j K_ij v_j C_ij, and what they add
/// to the columns, t_j += Σ_i u_i K_ij v_j; u is 0 for rows that are not there.
template <class Team>
void add_plan_rows(kernel_row_list<typename Team::scalar const> const& k,
                   kernel_row_list<typename Team::scalar const> const& costs,
                   typename Team::scalar const* u, typename Team::scalar const* v, index columns,
                   typename Team::row (&sums)[kernel_rows], typename Team::row (&paid)[kernel_rows],
                   typename Team::scalar* t) {
  using lane = typename Team::lane;
  using accumulator = typename Team::accumulator;
  accumulator sum[kernel_rows], cost[kernel_rows];
  each_kernel_row([&](auto i) DIVOT_LAMBDA_INLINE {
    sum[i] = accumulator(typename Team::scalar(0));
    cost[i] = sum[i];
  });
  Team::each(0, columns, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const factor = place.load(v, 0);
    lane total = place.load(t, 0);
    each_kernel_row([&](auto i) DIVOT_LAMBDA_INLINE {
      lane const own = place.load(k.at[i], 0) * factor;
      sum[i] += own;
      cost[i] += own * place.load(costs.at[i], 0);
      total = math::fma(lane(u[i]), own, total);
    });
    place.store(t, total);
  });
  Team::sums(sum, sums);
  Team::sums(cost, paid);
}

/// t_rj += Σ_i u_ir K_ij for eight rows t at once, which stay in registers while all of K's rows, a
/// lane of each, go by. u: eight numbers for every row of K.
template <class Team>
void add_kernel_products(typename Team::scalar const* k, index step, index rows,
                         typename Team::scalar const* u, index columns,
                         typename Team::scalar* const (&t)[kernel_rows]) {
  using lane = typename Team::lane;
  Team::each(0, columns, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane sums[kernel_rows];
    each_kernel_row([&](auto r) DIVOT_LAMBDA_INLINE { sums[r] = place.load(t[r], 0); });
    for (index i = 0; i < rows; ++i) {
      lane const own = place.load(k + i * step, 0);
      typename Team::scalar const* const factors = u + i * kernel_rows;
      each_kernel_row(
          [&](auto r) DIVOT_LAMBDA_INLINE { sums[r] = math::fma(lane(factors[r]), own, sums[r]); });
    }
    each_kernel_row([&](auto r) DIVOT_LAMBDA_INLINE { place.store(t[r], sums[r]); });
  });
}

}  // namespace DIVOT_ABI
}  // namespace divot
