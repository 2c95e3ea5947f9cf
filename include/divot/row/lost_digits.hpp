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
/// is a difference that has lost a bit or more of float's:
///
///   Σ_{k≠a} |w̃_k| < kept·Σ_{k≠a} q_k |ω_a|,  a the anchor
///
/// Where a divergence is flat on one side of p = q, all may hang on a small ell of the other, which
/// across lanes is rounded at its offset: |ω_a| counts as 1 at least there. In double what is lost
/// leaves digits enough.
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
      row const least = row(constant<row>(kept) * others * slope);
      // many classes do not agree by chance; and the sum is nowhere above what it is taken of
      constexpr double matters = Form::slopes_all_agree ? 0 : 1. / 64;
      auto const likely = math::abs(total) < least && own.top() > constant<row>(matters);
      if (!math::any<row>(likely)) return row(0);
      auto const lost = likely && size(own, weights) < least;
      return math::select(lost, row(limits_of<row>::quiet_NaN()), row(0));
    }
  }

 private:
  /// What must be left: across lanes ω_a itself has float's digits only.
  static constexpr double kept = Team::across ? .5 : .25;

  /// Σ |w̃| without the anchor.
  DIVOT_HD row size(side const& own, T const* weights) const {
    team_.blocks(0, [](index) {});  // everyone has read the sums
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      typename Team::accumulator sum(T(0));
      Team::each_but(
          b * block_columns, block_length<Team>(task_.classes, b), own.argmax(),
          [&](auto const& place) { sum += place.keep(math::abs(place.load(weights, 0))); });
      task_.sweep_blocks[b] = {row(0), Team::sum(sum)};
    });
    return add_blocks(task_).weight;
  }

  Team const& team_;
  row_task<Team> const& task_;
  row rounded_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
