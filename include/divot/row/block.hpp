// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Columns in one block: the unit of partial sums and of work shared between threads. Results
/// depend on it, so it is a constant of the library and not a tuning knob.
inline constexpr index block_columns = 2048;

/// Blocks of a row. Rows across lanes are short and form one block; so do rows that many threads
/// walk in lockstep, whose shares are short.
template <class Team>
constexpr index block_count(index classes) {
  return Team::one_block ? 1 : (classes + block_columns - 1) / block_columns;
}
template <class Team>
constexpr index block_length(index classes, index block) {
  if (Team::one_block) return classes;
  index const rest = classes - block * block_columns;
  return rest < block_columns ? rest : block_columns;
}

/// Places that are always full need no look at missing classes.
template <class Place>
inline constexpr bool place_may_be_masked = std::remove_cvref_t<Place>::may_be_masked;
/// Places that a row has one or two of may take a slower way.
template <class Place>
inline constexpr bool place_is_rare = std::remove_cvref_t<Place>::is_rare;

/// What a block of a row says of one operand's softmax.
template <class Row>
struct softmax_block {
  Row max;                // largest element
  Row lowest;             // smallest one that is not −inf, over T: to within .4
  Row sum;                // Σ of the exponentials kept in scratch
  Row scale;              // exponential kept in scratch × scale = probability; set by the sweeps
  bool infinite = false;  // some element is −inf
  bool bad = false;       // some element is NaN or +inf
};

}  // namespace DIVOT_ABI
}  // namespace divot
