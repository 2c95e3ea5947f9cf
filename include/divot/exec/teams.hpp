// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/policy.hpp>
#include <divot/exec/workers.hpp>
#include <divot/team/scalar.hpp>
#include <divot/team/simd_across.hpp>
#include <divot/team/simd_along.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Whether a policy works on packs of T.
template <class Policy, class T>
inline constexpr bool has_packs =
    !std::is_same_v<Policy, seq_policy> && (std::is_same_v<T, float> || std::is_same_v<T, double>);

/// Who walks a row under a policy.
template <class Policy, class T>
using row_team = std::conditional_t<has_packs<Policy, T>, simd_along<T>, scalar_team<T>>;

/// Who walks rows too short to fill packs.
template <class T>
using short_row_team = simd_across<T>;

/// Who walks a row again, in double, that a team of float has left.
template <class Team>
using team_in_double = std::conditional_t<std::is_same_v<Team, scalar_team<float>>,
                                          scalar_team<double>, simd_along<double>>;

/// And who walks rows in float for a team of double.
template <class Team>
using team_in_float = std::conditional_t<std::is_same_v<Team, scalar_team<double>>,
                                         scalar_team<float>, simd_along<float>>;

/// The team of worker `me` among `workers` that share each row.
template <class Team>
Team make_team([[maybe_unused]] int me, [[maybe_unused]] int workers) {
  if constexpr (std::is_constructible_v<Team, index, index, void (*)()>) {
    return Team(me, workers, &wait_for_workers);
  } else {
    return Team();
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
