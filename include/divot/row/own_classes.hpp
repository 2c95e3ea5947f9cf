// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>

namespace divot {
inline namespace DIVOT_ABI {

// What of a row is a thread's, where a team is several threads in lockstep; all of it elsewhere.

/// body(first class, how many) for each pack of a row that is this thread's.
template <class Team, class Body>
DIVOT_HD void each_pack(index count, Body const& body) {
  if constexpr (Team::one_block && !Team::across) {
    Team::each_pack(count, body);
  } else {
    for (index k = 0; k < count; ++k) body(k, index(1));
  }
}

/// body(class) for each class of a row that is this thread's.
template <class Team, class Body>
DIVOT_INLINE void each_class(index count, Body const& body) {
  each_pack<Team>(count, [&](index k, index many) DIVOT_LAMBDA_INLINE {
    for (index i = 0; i < many; ++i) body(k + i);
  });
}

/// Whether a class is this thread's.
template <class Team>
DIVOT_HD bool owns_class(index k) {
  if constexpr (Team::one_block && !Team::across) {
    return Team::owns(k);
  } else {
    return true;
  }
}
/// Of a number of every thread, to all of them.
template <class Team>
DIVOT_HD double sum_of_threads(double x) {
  if constexpr (Team::one_block && !Team::across) {
    return Team::sum_of_threads(x);
  } else {
    return x;
  }
}
template <class Team>
DIVOT_HD double largest_of_threads(double x) {
  if constexpr (Team::one_block && !Team::across) {
    return Team::largest_of_threads(x);
  } else {
    return x;
  }
}
/// Whether any thread of a team says so.
template <class Team>
DIVOT_HD bool any_of(bool yes) {
  return largest_of_threads<Team>(yes ? 1. : 0.) > 0;
}
/// Who keeps the books of a row.
template <class Team>
DIVOT_HD bool leads() {
  if constexpr (Team::one_block && !Team::across) {
    return Team::leads();
  } else {
    return true;
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
