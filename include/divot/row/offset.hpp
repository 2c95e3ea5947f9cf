// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/log_ratio.hpp>
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
void correct_offset(Team const& team, row_task<Team> const& task, softmax_side<Team> const& teacher,
                    softmax_side<Team> const& student, log_ratio<Team>& ratio) {
  using lane = typename Team::lane;
  using row = typename Team::row;
  using T = typename Team::scalar;
  constexpr double low = -std::numeric_limits<double>::infinity();

  auto const difference = [&](auto const& place, auto const& ell_of, lane const& teacher_scale,
                              lane const& student_scale) DIVOT_LAMBDA_INLINE {
    lane const ell = ell_of(place.load(task.teacher, low), place.load(task.student, low));
    lane const p = place.load(task.teacher_exponentials, 0) * teacher_scale;
    lane const q = place.load(task.student_exponentials, 0) * student_scale;
    auto const near = math::abs(ell) < constant<lane>(near_bound);
    lane const safe = math::select(near, ell, lane(T(0)));
    class_point<lane> x{};
    x.ell = safe;
    x.p = p;
    x.q = q;
    return math::select(near, near_difference(x, math::expm1_tail(safe)), lane(p - q));
  };

  {  // is the row close? the block that holds the student's maximum tells
    index const b = student.argmax_block();
    typename log_ratio<Team>::template on_lanes<lane> const ell_of(ratio);
    lane const ts = spread<lane>(teacher.block_scale(b)), ss = spread<lane>(student.block_scale(b));
    typename Team::accumulator distance(T(0)), mass(T(0));
    Team::each(b * block_columns, block_length<Team>(task.classes, b), Team::nowhere(),
               [&](auto const& place) {
                 lane const d = difference(place, ell_of, ts, ss);
                 distance += math::abs(d);
                 mass += lane(place.load(task.student_exponentials, 0) * ss);
               });
    auto const close = Team::sum(distance) < row(constant<row>(.5) * Team::sum(mass));
    if (!math::any<row>(close)) return;
  }
  team.blocks(block_count<Team>(task.classes), [&](index b) {
    typename log_ratio<Team>::template on_lanes<lane> const ell_of(ratio);
    lane const ts = spread<lane>(teacher.block_scale(b)), ss = spread<lane>(student.block_scale(b));
    typename Team::accumulator total(T(0)), mass(T(0));
    Team::each(b * block_columns, block_length<Team>(task.classes, b), Team::nowhere(),
               [&](auto const& place) DIVOT_LAMBDA_INLINE {
                 total += difference(place, ell_of, ts, ss);
                 mass += lane(place.load(task.student_exponentials, 0) * ss);
               });
    task.sweep_blocks[b] = {Team::sum(total), Team::sum(mass)};
  });
  row total(0), mass(0);
  for (index b = 0; b < block_count<Team>(task.classes); ++b) {
    total += task.sweep_blocks[b].loss;
    mass += task.sweep_blocks[b].weight;
  }
  row const excess = row(total / mass);
  auto const close = math::abs(excess) < constant<row>(.5);
  row const step = math::log1p(math::select(close, excess, row(0)));
  ratio.set_offset(row(ratio.offset() + step));
  team.blocks(0, [](index) {});  // everyone has read the sums
}

}  // namespace DIVOT_ABI
}  // namespace divot
