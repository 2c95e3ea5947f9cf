// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/log_ratio.hpp>
#include <divot/row/reductions.hpp>
#include <divot/row/task.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// Newton's correction of the offset log Z_t − log Z_s where the rows are close.
///
///   offset += log1p(Σ q expm1(ell) / Σ q)
///
/// For divergences whose w is not linear in ell at 0 the projection does not remove an error of the
/// offset; this restores it to the last bits of ell. Sums over every class of the row.
template <class Team>
class offset_correction {
 public:
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using row = typename Team::row;
  using side = softmax_side<Team>;

  DIVOT_HD offset_correction(Team const& team, row_task<Team> const& task, side const& teacher,
                             side const& student)
      : team_(team), task_(task), teacher_(teacher), student_(student) {}

  /// Corrects the rows in question, as far as they are close. Returns what of ell is rounded in
  /// each: Σ |p − q| in those, else 1.
  DIVOT_HD row operator()(log_ratio<Team>& ratio, mask_of<row> const& rows) const {
    // is the row close? the block that holds the student's maximum tells
    sums const first = of_block(ratio, student_.argmax_block());
    auto const worth_it = first.distance < row(constant<row>(.5) * first.mass) && rows;
    if (!math::any<row>(worth_it)) return row(1);
    // a row's number is no wider than the lanes when rows go across: a second step corrects the
    // rounding of the first
    for (int steps = Team::across ? 2 : 1; steps > 0; --steps) take_step(ratio, worth_it);
    return math::select(worth_it, row(first.distance / first.mass), row(1));
  }

 private:
  DIVOT_HD void take_step(log_ratio<Team>& ratio, mask_of<row> const& rows) const {
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      sums const s = of_block(ratio, b);
      task_.sweep_blocks[b] = {s.difference, s.mass};
    });
    sweep_block<row> const total = add_blocks(task_);
    row const excess = row(total.loss / total.weight);
    auto const close = math::abs(excess) < constant<row>(.5) && rows;
    row const step = math::log1p(math::select(close, excess, row(0)));
    ratio.set_offset(row(ratio.offset() + step));
    team_.blocks(0, [](index) {});  // everyone has read the sums
  }

  struct sums {
    row difference, distance, mass;  // Σ p − q, Σ |p − q|, Σ q
  };

  DIVOT_HD sums of_block(log_ratio<Team> const& ratio, index b) const {
    constexpr double low = -std::numeric_limits<double>::infinity();
    typename log_ratio<Team>::template on_lanes<lane> const ell_of(ratio);
    lane const teacher_scale = spread<lane>(teacher_.block_scale(b));
    lane const student_scale = spread<lane>(student_.block_scale(b));
    typename Team::accumulator difference(T(0)), distance(T(0)), mass(T(0));
    Team::each(b * block_columns, block_length<Team>(task_.classes, b), [&](auto const& place) {
      lane const ell = ell_of(place.load(task_.teacher, low), place.load(task_.student, low));
      class_point<lane> x{};
      x.p = place.load(task_.teacher_exponentials, 0) * teacher_scale;
      x.q = place.load(task_.student_exponentials, 0) * student_scale;
      auto const near = is_near(ell);
      x.ell = math::select(near, ell, lane(T(0)));
      lane const d =
          math::select(near, near_difference(x, math::expm1_tail(x.ell)), lane(x.p - x.q));
      difference += d;
      distance += math::abs(d);
      mass += x.q;
    });
    auto const [d, e, m] = sums_of<Team>(difference, distance, mass);
    return {d, e, m};
  }

  Team const& team_;
  row_task<Team> const& task_;
  side const& teacher_;
  side const& student_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
