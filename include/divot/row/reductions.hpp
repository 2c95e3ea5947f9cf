// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>

#include <array>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

// Several reductions of packs at once: for threads in lockstep, who have to meet for each, they are
// one.

/// Σ of each.
template <class Team, class... A>
DIVOT_INLINE std::array<typename Team::row, sizeof...(A)> sums_of(A const&... x) {
  if constexpr (requires { Team::sums(x...); }) {
    return Team::sums(x...);
  } else {
    return {Team::sum(x)...};
  }
}

/// The largest element of either.
template <class Team, class V>
DIVOT_INLINE std::pair<typename Team::row, typename Team::row> both_largest(V const& a,
                                                                            V const& b) {
  using row = typename Team::row;
  if constexpr (requires { Team::both_largest(a, b); }) {
    return Team::both_largest(a, b);
  } else {
    return {row(Team::largest(a)), row(Team::largest(b))};
  }
}

/// The smallest element of one, as its own type, and Σ of another.
template <class Team, class V, class A>
DIVOT_INLINE auto smallest_and_sum(V const& x, A const& terms) {
  if constexpr (requires { Team::smallest_and_sum(x, terms); }) {
    return Team::smallest_and_sum(x, terms);
  } else {
    return std::pair(Team::smallest(x), Team::sum(terms));
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
