// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/unpack.hpp>
#include <divot/family/plan.hpp>

#include <tuple>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

// A loss in two: what compares teacher and student, and what looks at labels and the student alone.

/// The divergences of a group as a plan of their own.
template <class Lanes, bool Labelled, class Function>
auto divergences_of(loss_group<Lanes, Labelled, Function> const& group) {
  if constexpr (Labelled) {
    loss_group<Lanes, false> own{group.lanes, group.factor};
    own.temperature = group.temperature;
    own.t_squared = group.t_squared;
    return loss_plan<false, loss_group<Lanes, false>>{{own}};
  } else {
    return loss_plan<false, loss_group<Lanes, false, Function>>{{group}};
  }
}

namespace planning {

template <class Lanes, bool Labelled, class Function>
auto labels_of(loss_group<Lanes, Labelled, Function> const& group) {
  if constexpr (Labelled) {
    loss_group<bound_sum<>, true> own{};
    own.one_hot = group.one_hot;
    own.uniform = group.uniform;
    own.own_smoothing = group.own_smoothing;
    own.temperature = group.temperature;
    own.t_squared = group.t_squared;
    return std::tuple<loss_group<bound_sum<>, true>>(own);
  } else {
    return std::tuple();
  }
}

}  // namespace planning

/// Whether a plan may have more than divergences in it.
template <class Plan>
inline constexpr bool has_others = false;
template <bool WithZ, class... Groups>
inline constexpr bool has_others<loss_plan<WithZ, Groups...>> = WithZ ||
                                                                (Groups::may_have_labels || ...);

/// Everything but the divergences.
template <bool WithZ, class... Groups>
auto without_divergences(loss_plan<WithZ, Groups...> const& plan) {
  return unpack(
      [&](auto const&... group) {
        auto const groups = std::tuple_cat(planning::labels_of(group)...);
        return unpack(
            [&](auto const&... g) {
              if constexpr (sizeof...(g) != 0) {
                return loss_plan<WithZ, std::remove_cvref_t<decltype(g)>...>{{g...}, plan.z_weight};
              } else {
                // for the z-loss alone, which has temperature 1
                loss_group<bound_sum<>, false> none{};
                none.temperature = 1;
                return loss_plan<WithZ, loss_group<bound_sum<>, false>>{{none}, plan.z_weight};
              }
            },
            groups);
      },
      plan.groups);
}

}  // namespace DIVOT_ABI
}  // namespace divot
