// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/anchor.hpp>
#include <divot/row/softmax_side.hpp>
#include <divot/row/task.hpp>

#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Tells rows in which the classes that matter have nearly the same slope, so that their gradient
/// is a difference that has lost digits of float's:
///
///   Σ_{k≠a} w̃_k² < kept² Σ_{k≠a} (q_k ω_a)²,  a the anchor
///
/// What w̃_k is rounded by is a part of q_k |ω_a| there, and adds up in squares as it does. Where a
/// divergence is flat on one side of p = q, all may hang on a small ell of the other, which across
/// lanes is rounded at its offset: |ω_a| counts as 1 at least there. In double what is lost leaves
/// digits enough.
template <class Team>
class lost_digits {
 public:
  using T = typename Team::scalar;
  using row = typename Team::row;
  using side = softmax_side<Team>;

  /// `rounded`: what of ell is.
  DIVOT_HD lost_digits(Team const& team, row_task<Team> const& task, row const& rounded)
      : team_(team), task_(task), rounded_(rounded) {}

  /// NaN in such rows, else 0. `total` is Σ w̃.
  template <class Form>
  DIVOT_HD row operator()([[maybe_unused]] Form const& form, [[maybe_unused]] side const& own,
                          [[maybe_unused]] sweep_anchor<row> const& anchor,
                          [[maybe_unused]] row const& total,
                          [[maybe_unused]] T const* weights) const {
    if constexpr (!std::is_same_v<T, float> || Form::slopes_are_exact) {
      return row(0);
    } else {
      // what forms take by themselves has more digits
      row slope =
          row(math::abs(anchor.omega) + constant<row>(.3) * form.template slope_taken<row>());
      if constexpr (Team::across && Form::has_flat_side) {
        auto const exact = rounded_ < math::min(row(math::abs(anchor.ell) * row(16)), row(1));
        slope = math::select(exact, slope, math::max(slope, row(1)));
      }
      row const others = row(-math::expm1(row(-own.log_z())));  // 1 − q_a
      // what must be left: across lanes ω_a itself has float's digits only
      constexpr double kept = (Team::across ? .5 : .25) * Form::roundings;
      row const least = row(constant<row>(kept) * others * slope);
      // many classes do not agree by chance; and the sum is nowhere above what it is taken of
      constexpr double matters = Form::slopes_all_agree ? 0 : 1. / 64;
      auto const likely = math::abs(total) < least && own.top() > constant<row>(matters);
      if (!math::any<row>(likely)) return row(0);
      auto const left = squares(own, weights, row(row(1) / others), row(row(1) / least));
      auto const lost = likely && left.weight < left.loss;
      return math::select(lost, row(limits_of<row>::quiet_NaN()), row(0));
    }
  }

 private:
  /// Σ (q/others)² and Σ (w̃/least)² without the anchor.
  DIVOT_HD sweep_block<row> squares(side const& own, T const* weights, row const& by_others,
                                    row const& by_least) const {
    using lane = typename Team::lane;
    T const* const exponentials = own.exponentials();
    lane const w_scale = spread<lane>(by_least);
    team_.blocks(0, [](index) {});  // everyone has read the sums
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      lane const q_scale = spread<lane>(row(own.blocks()[b].scale * by_others));
      typename Team::accumulator of_q(T(0)), of_w(T(0));
      Team::each_but(b * block_columns, block_length<Team>(task_.classes, b), own.argmax(),
                     [&](auto const& place) {
                       lane const q = place.keep(place.load(exponentials, 0) * q_scale);
                       lane const w = place.keep(place.load(weights, 0) * w_scale);
                       of_q += q * q;
                       of_w += w * w;
                     });
      task_.sweep_blocks[b] = {Team::sum(of_q), Team::sum(of_w)};
    });
    return add_blocks(task_);
  }

  Team const& team_;
  row_task<Team> const& task_;
  row rounded_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
