// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/anchor.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// What the cross-entropy terms of a group come to in a row.
template <class Row>
struct label_terms {
  Row loss = Row(0);
  Row elsewhere = Row(0);  // what the label's own class takes, where it is not the anchor
  bool any = false;
};

/// Σ log q_k over all classes.
template <class Team>
DIVOT_HD typename Team::row sum_log_probabilities(Team const& team, row_task<Team> const& task,
                                                  softmax_side<Team> const& student) {
  using lane = typename Team::lane;
  using row = typename Team::row;
  lane const max = spread<lane>(student.max());
  team.blocks(block_count<Team>(task.classes), [&](index b) {
    typename Team::accumulator total(typename Team::scalar(0));
    Team::each(b * block_columns, block_length<Team>(task.classes, b), [&](auto const& place) {
      total += place.keep(lane(place.load(task.student, 0) - max));
    });
    task.sweep_blocks[b] = {Team::sum(total), row(0)};
  });
  row const total = add_blocks(task).loss;
  team.blocks(0, [](index) {});
  return row(total * student.inverse_temperature() -
             constant<row>(static_cast<double>(task.classes)) * student.log_z());
}

/// −Σ_k r_k log q_k for r = one_hot at the label plus a share everywhere; the anchor gets their ω.
template <class Team, class Group>
DIVOT_HD label_terms<typename Team::row> cross_entropy_part(
    Team const& team, row_task<Team> const& task, Group const& group,
    softmax_side<Team> const& student, sweep_anchor<typename Team::row>& anchor) {
  using row = typename Team::row;
  label_terms<row> out;
  out.any = true;
  double const smoothing = task.label_smoothing;
  double const one_hot = group.one_hot + group.own_smoothing * (1 - smoothing);
  double const spread_mass = group.uniform + group.own_smoothing * smoothing;
  row const log_q = student.log_probability(Team::at(task.student, task.label));
  if (one_hot != 0) out.loss = row(-constant<row>(one_hot) * log_q);
  if (spread_mass != 0) {
    double const share = spread_mass / static_cast<double>(task.classes);
    row const sum = sum_log_probabilities(team, task, student);
    // a share may round to 0, but a class without probability is infinitely far
    row const endless = row(-limits_of<row>::infinity());
    row const by_share = math::select(sum == endless, row(spread_mass < 0 ? -endless : endless),
                                      row(constant<row>(share) * sum));
    out.loss = row(out.loss - by_share);
    anchor.uniform = constant<row>(share);
  }
  row const hit = constant<row>(one_hot);
  auto const at_anchor = task.label == student.argmax();
  row const here = math::select(at_anchor, hit, row(0));
  out.elsewhere = math::select(at_anchor, row(0), hit);
  anchor.omega = row(anchor.omega - (anchor.uniform + here) / student.top());
  return out;
}

/// The same for any group and row: no terms where there are none.
template <class Team, class Group>
DIVOT_HD label_terms<typename Team::row> label_part(Team const& team, row_task<Team> const& task,
                                                    Group const& group,
                                                    softmax_side<Team> const& student,
                                                    sweep_anchor<typename Team::row>& anchor) {
  if constexpr (Group::may_have_labels) {
    if (group.has_labels() && task.has_label) {
      return cross_entropy_part(team, task, group, student, anchor);
    }
  }
  return {};
}

/// The label's own share of w̃, after block b has been swept.
template <class Team>
DIVOT_HD void patch_label(row_task<Team> const& task, label_terms<typename Team::row> const& labels,
                          index b) {
  if (!labels.any) return;
  if constexpr (!Team::one_block) {
    if (task.label / block_columns != b) return;
  }
  Team::add_at(task.student_weights, task.label, typename Team::row(-labels.elsewhere));
}

/// The sweep over a block where there are label terms only: w̃_k = −uniform − q_k·ω_anchor.
template <class Team>
DIVOT_HD void label_block(row_task<Team> const& task, softmax_side<Team> const& student,
                          sweep_anchor<typename Team::row> const& anchor, index b) {
  using lane = typename Team::lane;
  using T = typename Team::scalar;
  student.blocks()[b].scale = student.block_scale(b);
  lane const scale = spread<lane>(student.blocks()[b].scale);
  lane const omega = spread<lane>(anchor.omega), uniform = spread<lane>(anchor.uniform);
  typename Team::accumulator total(T(0));
  Team::each_but(b * block_columns, block_length<Team>(task.classes, b), student.argmax(),
                 [&](auto const& place) DIVOT_LAMBDA_INLINE {
                   lane const q = place.load(task.student_exponentials, 0) * scale;
                   lane const w = place.keep(lane(-uniform - q * omega));
                   total += w;
                   place.store(task.student_weights, w);
                 });
  task.sweep_blocks[b] = {typename Team::row(0), Team::sum(total)};
}

}  // namespace DIVOT_ABI
}  // namespace divot
