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
    class_point<lane> const x{safe, p, q, lane(T(0)), lane(T(0))};
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

/// What the sweep needs to know besides the rows: the gauge, the anchor and label terms.
template <class Row>
struct sweep_anchor {
  Row gauge;    // 1 centred, 0 far
  Row omega;    // w/q at the anchor, all terms
  Row loss;     // the anchor's own loss
  Row uniform;  // every valid class's share of −∂(label terms)/∂log q
  Row factor;   // multiplies w of the divergences
};

/// The divergence sweep: Σ d, and w̃_k = w_k − q_k·ω_anchor into scratch, with Σ w̃.
///
/// With Swap the roles are exchanged: the sweep is the student's one of the dual divergence, which
/// gives the teacher's gradient. The anchor's own class is left out of both sums; its loss is added
/// by the caller and its w̃ is 0 by definition.
template <bool Swap, bool Weights, class Team, class Bound>
DIVOT_INLINE void divergence_block(row_task<Team> const& task, softmax_side<Team> const& teacher,
                                   softmax_side<Team> const& student, log_ratio<Team> const& ratio,
                                   Bound const& bound,
                                   sweep_anchor<typename Team::row> const& anchor,
                                   typename Team::scalar* weights, index b) {
  using lane = typename Team::lane;
  using T = typename Team::scalar;
  constexpr double low = -std::numeric_limits<double>::infinity();
  auto const& own = Swap ? teacher : student;
  bool const infinite = teacher.infinite() || student.infinite();
  typename log_ratio<Team>::template on_lanes<lane> const ell_of(ratio);
  teacher.blocks()[b].scale = teacher.block_scale(b);
  student.blocks()[b].scale = student.block_scale(b);
  lane const teacher_scale = spread<lane>(teacher.blocks()[b].scale);
  lane const student_scale = spread<lane>(student.blocks()[b].scale);
  lane const gauge = spread<lane>(anchor.gauge), omega = spread<lane>(anchor.omega);
  lane const uniform = spread<lane>(anchor.uniform), factor = spread<lane>(anchor.factor);
  lane const zero(T(0)), minus_infinity(static_cast<T>(low));
  typename Team::accumulator loss(T(0)), total(T(0));

  Team::each(b * block_columns, block_length<Team>(task.classes, b), own.argmax(),
             [&](auto const& place) DIVOT_LAMBDA_INLINE {
               lane const t = place.load(task.teacher, low), s = place.load(task.student, low);
               if constexpr (!Swap) {
                 place.prefetch(task.next_teacher);
                 place.prefetch(task.next_student);
               }
               class_point<lane> x;
               x.p = place.load(task.teacher_exponentials, 0) * teacher_scale;
               x.q = place.load(task.student_exponentials, 0) * student_scale;
               x.ell = ell_of(t, s);
               if constexpr (Bound::needs_logs) {
                 x.log_p = teacher.log_probability(t);
                 x.log_q = student.log_probability(s);
               }
               class_terms<lane> terms;
               if (infinite || place.masked()) {
                 auto p_zero = t == minus_infinity, q_zero = s == minus_infinity;
                 auto const either = p_zero || q_zero, both = p_zero && q_zero;
                 x.ell = math::select(either, zero, x.ell);
                 if constexpr (Bound::needs_logs) {
                   x.log_p = math::select(p_zero, zero, x.log_p);
                   x.log_q = math::select(q_zero, zero, x.log_q);
                 }
                 auto const only_p = p_zero && !both, only_q = q_zero && !both;
                 terms = Swap ? bound.at_edge(x.swapped(), gauge, only_q, only_p)
                              : bound.at_edge(x, gauge, only_p, only_q);
                 terms.loss = math::select(both, zero, terms.loss);
                 terms.w = math::select(both, zero, terms.w);
               } else {
                 terms = Swap ? bound.at(x.swapped(), gauge) : bound.at(x, gauge);
               }
               loss += terms.loss;
               if constexpr (Weights) {
                 lane const q = Swap ? x.p : x.q;
                 lane const w =
                     place.keep(lane(math::fma(factor, terms.w, lane(-uniform)) - q * omega));
                 total += w;
                 place.store(weights, w);
               }
             });
  task.sweep_blocks[b] = {Team::sum(loss), Team::sum(total)};
}

/// The same for a group that has label terms only: w̃_k = −uniform − q_k·ω_anchor.
template <class Team>
void label_block(row_task<Team> const& task, softmax_side<Team> const& student,
                 sweep_anchor<typename Team::row> const& anchor, index b) {
  using lane = typename Team::lane;
  using T = typename Team::scalar;
  student.blocks()[b].scale = student.block_scale(b);
  lane const scale = spread<lane>(student.blocks()[b].scale);
  lane const omega = spread<lane>(anchor.omega), uniform = spread<lane>(anchor.uniform);
  typename Team::accumulator total(T(0));
  Team::each(b * block_columns, block_length<Team>(task.classes, b), student.argmax(),
             [&](auto const& place) DIVOT_LAMBDA_INLINE {
               place.prefetch(task.next_student);
               lane const q = place.load(task.student_exponentials, 0) * scale;
               lane const w = place.keep(lane(-uniform - q * omega));
               total += w;
               place.store(task.student_weights, w);
             });
  task.sweep_blocks[b] = {typename Team::row(0), Team::sum(total)};
}

}  // namespace DIVOT_ABI
}  // namespace divot
