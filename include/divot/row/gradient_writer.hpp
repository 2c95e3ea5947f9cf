// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/projection.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Turns the w̃ of a row's groups into its gradients, which the last group writes.
///
/// Tangent: the student's is that of probabilities, w/q − Σw.
template <bool Tangent, class Team>
class gradient_writer {
 public:
  using T = typename Team::scalar;
  using row = typename Team::row;
  using side = softmax_side<Team>;
  static constexpr bool widest = Team::widest;

  /// A group's part of a gradient.
  struct part {
    row total;          // Σ w̃
    row weight;         // multiplies it
    row anchor_weight;  // w at the anchor where it is infinite, else 0
    row per_escort;     // the inverse of what the group's logits are multiplied by
    bool temperature;   // the group has the wrappers' temperature
    bool last;          // no group comes after it
  };

  DIVOT_HD gradient_writer(Team const& team, row_task<Team>& task) : team_(team), task_(task) {}

  template <class Limit>
  DIVOT_HD void student(side const& student, part const& of, row const& pull, bool first,
                        Limit const& limit) {
    row const scale = row(of.weight * task_.student_scale);
    projection<Team> to{task_.student_weights, of.total,
                        Tangent ? scale : row(scale * student.inverse_temperature()),
                        row(pull * task_.student_scale),
                        of.last ? task_.student_gradient : task_.student_partial};
    to.before = first ? nullptr : task_.student_partial;
    to.add = of.last && task_.student_add;
    to.stream = of.last && task_.student_stream && Team::may_stream(to.target);
    to.temperature = task_.want_temperature && of.temperature;
    row moment(0);
    if constexpr (Tangent) {
      if (is_infinite(to, of.anchor_weight)) {
        write_infinite(student, to, task_.student_weights, of.anchor_weight);
      } else {
        team_.blocks(block_count<Team>(task_.classes),
                     [&](index b) { project_tangent_block(task_, student, to, limit, b); });
      }
    } else {
      moment = write(student, to, task_.student_weights, of.anchor_weight);
    }
    if (to.temperature) {
      task_.student_temperature_gradient =
          row(task_.student_temperature_gradient -
              moment * student.inverse_temperature() * of.per_escort);
    }
  }

  DIVOT_HD void teacher(side const& teacher, part const& of) {
    projection<Team> to{task_.teacher_weights, of.total,
                        row(of.weight * task_.teacher_scale * teacher.inverse_temperature()),
                        row(0), of.last ? task_.teacher_gradient : task_.teacher_partial};
    to.before = teacher_started_ ? task_.teacher_partial : nullptr;
    teacher_started_ = true;
    to.add = of.last && task_.teacher_add;
    to.stream = of.last && task_.teacher_stream && Team::may_stream(to.target);
    to.temperature = task_.want_temperature && of.temperature;
    row const moment = write(teacher, to, task_.teacher_weights, of.anchor_weight);
    if (to.temperature) {
      task_.teacher_temperature_gradient =
          row(task_.teacher_temperature_gradient -
              moment * teacher.inverse_temperature() * of.per_escort);
    }
  }

  /// The last group had no divergence in it: what the earlier ones left goes to the target.
  DIVOT_HD void pass_teacher_on() {
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      Team::each(b * block_columns, block_length<Team>(task_.classes, b), [&](auto const& place) {
        typename Team::lane g(T(0));
        if (teacher_started_) g = g + place.load(task_.teacher_partial, 0);
        if (task_.teacher_add) g = g + place.load(task_.teacher_gradient, 0);
        place.store(task_.teacher_gradient, g);
      });
    });
  }

 private:
  DIVOT_HD row write(side const& own, projection<Team> const& to, T* weights,
                     row const& anchor_weight) {
    if (is_infinite(to, anchor_weight)) {
      return write_infinite(own, to, weights, anchor_weight);
    }
    team_.blocks(block_count<Team>(task_.classes),
                 [&](index b) { project_block(task_, own, to, b); });
    if (to.stream) Team::settle_streams();
    row moment(0);
    if (to.temperature) moment = add_blocks(task_).loss;
    team_.blocks(0, [](index) {});
    return moment;
  }

  /// In the widest type the limits are then taken; narrower ones have handed the row over.
  DIVOT_HD static bool is_infinite(projection<Team> const& to, row const& anchor_weight) {
    if constexpr (widest) {
      return !is_finite_number(to.total) || !is_finite_number(anchor_weight);
    } else {
      return false;
    }
  }
  /// The moment: entries of both signs are infinite, and nobody can tell what they add up to.
  DIVOT_HD row write_infinite(side const& own, projection<Team> const& to, T* weights,
                              row const& anchor_weight) {
    if constexpr (widest) {
      if (!is_finite_number(anchor_weight)) weights[own.argmax()] = anchor_weight;
      project_infinite<Tangent>(task_, own, to);
      if (to.temperature && to.factor != row(0)) return row(limits_of<row>::quiet_NaN());
    }
    return row(0);
  }

  Team const& team_;
  row_task<Team>& task_;
  bool teacher_started_ = false;
};

}  // namespace DIVOT_ABI
}  // namespace divot
