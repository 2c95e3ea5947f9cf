// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkd.hpp>
#include <divot/family/ground.hpp>

#include <concepts>

namespace divot::ground {

/// Σ_k |z_k − y_k| of the numbers that two models put out, one or more a sample: for regression,
/// where there is no softmax and no temperature.
struct absolute_difference {};

}  // namespace divot::ground

namespace divot {
inline namespace DIVOT_ABI {

/// Whether a cost compares what the models put out as it stands, and not its softmax.
template <class G>
inline constexpr bool compares_numbers = std::same_as<G, ground::absolute_difference>;

template <class V>
DIVOT_INLINE V ground_term(ground::absolute_difference, V const& d) {
  return ground_term(ground::l1{}, d);
}
template <class V>
DIVOT_INLINE V ground_slope(ground::absolute_difference, V const& d) {
  return ground_slope(ground::l1{}, d);
}

/// Costs that sinkd knows.
template <class G>
concept sinkd_ground = std::same_as<G, ground::l1> || std::same_as<G, ground::l2> ||
    std::same_as<G, ground::squared_l2> || compares_numbers<G>;

/// SinKD with another cost C_ij.
///
/// ground   l1 (sinkd's own), l2 or squared_l2 between the two softmaxes; absolute_difference
///          between the numbers themselves: teachers are logits then, every number must be finite,
///          and the temperature, which has nothing to divide, must be left at its default
/// Gradient with respect to the logits, or the numbers; l2's slope is 0 where two rows agree
template <sinkd_ground G>
constexpr sinkd_with_cost<G> with_cost(sinkd const& what, G const& ground) {
  return {what, ground};
}

/// A term's options, and its cost.
constexpr sinkd const& sinkd_of(sinkd const& what) { return what; }
template <class G>
constexpr sinkd const& sinkd_of(sinkd_with_cost<G> const& term) {
  return term.what;
}
constexpr ground::l1 ground_of(sinkd const&) { return {}; }
template <class G>
constexpr G ground_of(sinkd_with_cost<G> const& term) {
  return term.ground;
}

}  // namespace DIVOT_ABI
}  // namespace divot
