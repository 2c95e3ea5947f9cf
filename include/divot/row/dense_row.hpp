// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/core/types.hpp>

#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// Σ_j x_j y_j.
template <class Team>
typename Team::row dot_row(typename Team::scalar const* x, typename Team::scalar const* y,
                           index count) {
  using T = typename Team::scalar;
  typename Team::accumulator sums[4] = {
      typename Team::accumulator(T(0)), typename Team::accumulator(T(0)),
      typename Team::accumulator(T(0)), typename Team::accumulator(T(0))};
  Team::each_of_four(0, count, [&](auto const& place, auto i) DIVOT_LAMBDA_INLINE {
    sums[i] += place.load(x, 0) * place.load(y, 0);
  });
  return Team::sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// Σ_j x_j.
template <class Team>
typename Team::row sum_row(typename Team::scalar const* x, index count) {
  using T = typename Team::scalar;
  typename Team::accumulator sums[4] = {
      typename Team::accumulator(T(0)), typename Team::accumulator(T(0)),
      typename Team::accumulator(T(0)), typename Team::accumulator(T(0))};
  Team::each_of_four(0, count, [&](auto const& place, auto i) DIVOT_LAMBDA_INLINE {
    sums[i] += place.load(x, 0);
  });
  return Team::sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// y_j += a·x_j.
template <class Team>
void add_multiple_row(typename Team::scalar const& a, typename Team::scalar const* x,
                      typename Team::scalar* y, index count) {
  using lane = typename Team::lane;
  lane const factor(a);
  Team::each(0, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    place.store(y, math::fma(factor, place.load(x, 0), place.load(y, 0)));
  });
}

/// The largest of (g_j − c_j)/ε and Σ_j exp of what they are less than it; the exponentials into
/// `out`. Without any that is finite: −∞ and 0.
template <class Team>
struct row_exponential_sum {
  typename Team::row largest, sum;
};
template <class Team>
row_exponential_sum<Team> exponentials_row(typename Team::scalar const* g,
                                           typename Team::scalar const* c,
                                           typename Team::scalar per_epsilon, index count,
                                           typename Team::scalar* out) {
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  constexpr double low = -std::numeric_limits<double>::infinity();
  lane const factor(per_epsilon);
  lane most = lane(static_cast<T>(low));
  Team::each(0, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const x = (place.load(g, low) - place.load(c, 0)) * factor;
    place.store(out, x);
    most = math::max(most, x);
  });
  T const largest = Team::largest(most);
  if (!is_finite_number(largest)) return {static_cast<typename Team::row>(largest), 0};
  lane const shift(largest);
  typename Team::accumulator sum(T(0));
  Team::each(0, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const e = math::exp(lane(place.load(out, low) - shift));
    place.store(out, e);
    sum += place.keep(e);
  });
  return {static_cast<typename Team::row>(largest), Team::sum(sum)};
}

/// exp((f + g_j − c_j)/ε) into `out`, and their sum.
template <class Team>
typename Team::row summed_plan_row(typename Team::scalar f, typename Team::scalar const* g,
                                   typename Team::scalar const* c,
                                   typename Team::scalar per_epsilon, index count,
                                   typename Team::scalar* out) {
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  lane const factor(per_epsilon), own(f);
  typename Team::accumulator sums[4] = {
      typename Team::accumulator(T(0)), typename Team::accumulator(T(0)),
      typename Team::accumulator(T(0)), typename Team::accumulator(T(0))};
  Team::each_of_four(0, count, [&](auto const& place, auto k) DIVOT_LAMBDA_INLINE {
    lane const e = math::exp(lane((own + (place.load(g, 0) - place.load(c, 0))) * factor));
    place.store(out, e);
    sums[k] += place.keep(e);
  });
  return Team::sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// exp((f + g_j − c_j)/ε) into `out`.
template <class Team>
void plan_row(typename Team::scalar f, typename Team::scalar const* g,
              typename Team::scalar const* c, typename Team::scalar per_epsilon, index count,
              typename Team::scalar* out) {
  using lane = typename Team::lane;
  lane const factor(per_epsilon), own(f);
  Team::each(0, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const x = (own + (place.load(g, 0) - place.load(c, 0))) * factor;
    place.store(out, math::exp(x));
  });
}

}  // namespace DIVOT_ABI
}  // namespace divot
