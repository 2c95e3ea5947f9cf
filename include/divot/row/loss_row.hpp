// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/unpack.hpp>
#include <divot/family/plan.hpp>
#include <divot/row/gradient_writer.hpp>
#include <divot/row/group_sweeps.hpp>
#include <divot/row/range.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Computes one row of a loss: every group's sweeps, then the gradients, written once.
///
/// Student, Teacher say which gradients are wanted; with Tangent the student's is that of
/// probabilities, w/q − Σw. Several workers may call this together on one
/// row; each then holds a copy of the task and all see the same outcome.
template <bool Student, bool Teacher, bool Tangent, class Team>
class loss_row {
 public:
  using T = typename Team::scalar;
  using row = typename Team::row;
  using side = softmax_side<Team>;
  using sweeps_type = group_sweeps<Student, Teacher, Team>;
  using writer_type = gradient_writer<Tangent, Team>;

  DIVOT_HD loss_row(Team const& team, row_task<Team>& task)
      : team_(team), task_(task), write_(team, task) {}

  template <class Plan>
  DIVOT_HD void run(Plan const& plan) {
    task_.loss = row(0);
    task_.student_temperature_gradient = task_.teacher_temperature_gradient = row(0);
    task_.bad = task_.beyond = false;
    double const z = Plan::may_have_z ? plan.z_weight : 0;
    constexpr std::size_t groups = std::tuple_size_v<decltype(plan.groups)>;
    // the z-loss has temperature 1; it joins the first group that has it too
    bool const z_joins = z != 0 && starts_at_one(std::get<0>(plan.groups));
    bool const z_alone = z != 0 && !z_joins;
    std::size_t done = 0;
    unpack(
        [&](auto const&... group) {
          (..., (++done, run_group(group, done == 1 && z_joins ? z : 0., done == 1,
                                   done == groups && !z_alone)));
        },
        plan.groups);
    if constexpr (Plan::may_have_z) {
      if (z_alone) {
        loss_group<bound_sum<>, false> only{};
        only.temperature = 1;
        run_group(only, z, false, true);
      }
    }
  }

 private:
  template <class Group>
  DIVOT_HD bool starts_at_one(Group const& group) const {
    if constexpr (Group::has_function) {
      if (group.escort != 1) return false;
    }
    if (group.temperature != 0) return group.temperature == 1;
    auto const differs = task_.student_inverse_temperature != row(1);
    return !math::any<row>(differs);
  }

  /// The softmax of both sides, or of the student's alone; false of a bad row.
  template <bool Both>
  DIVOT_HD bool settle(side& teacher, side& student) const {
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      // side by side: one sweep's last sums come in while the other goes on
      if constexpr (Both) {
        side::look(teacher, student, b);
      } else {
        student.look(b);
      }
      if constexpr (Both) teacher.exponentiate(b);
      student.exponentiate(b);
    });
    if (student.hopeless() || (Both && teacher.hopeless())) return false;
    student.join();
    if constexpr (Both) teacher.join();
    return !student.is_off(task_.student_tolerance) &&
           !(Both && teacher.is_off(task_.teacher_tolerance));
  }

  template <class Group>
  DIVOT_HD void run_group(Group const& group, double z, bool first, bool last) {
    if (task_.bad || task_.beyond) return;
    constexpr bool lanes = !decltype(group.lanes)::is_empty;
    bool const own_temperature = group.temperature != 0;
    two_words<row> by_student{task_.student_inverse_temperature, task_.student_inverse_low};
    two_words<row> by_teacher{task_.teacher_inverse_temperature, task_.teacher_inverse_low};
    if (own_temperature) {
      by_student = inverse_words<row>(group.temperature);
      // labels are a distribution already
      if (!task_.teacher_normalised) by_teacher = by_student;
    }
    bool escorted = false;
    row per_escort(1);
    if constexpr (Group::has_function) {
      escorted = group.escort != 1;
      per_escort = constant<row>(1 / group.escort);
      if (escorted) {
        auto const escort = lane_words<row>(group.escort);
        by_student = product(by_student, escort);
        by_teacher = product(by_teacher, escort);
      }
    }
    side student(task_.student, task_.student_exponentials, task_.student_blocks, task_.classes,
                 by_student.high, task_.student_normalised && !escorted, by_student.low);
    side teacher(task_.teacher, task_.teacher_exponentials, task_.teacher_blocks, task_.classes,
                 by_teacher.high, task_.teacher_normalised && !escorted, by_teacher.low);
    if (!settle<lanes>(teacher, student)) {
      task_.bad = true;
      team_.blocks(0, [](index) {});
      return;
    }

    // joining reads the exponentials, the sweep may overwrite the teacher's
    team_.blocks(0, [](index) {});
    // the divergences' factor stands outside where there are no label terms beside them
    constexpr bool labelled = Group::may_have_labels;
    row const factor = constant<row>(group.factor);
    row const outer = labelled || !lanes ? row(1) : factor;
    row const inverse = student.inverse_temperature();
    row const raw = row(inverse * per_escort);
    row const unit = group.t_squared ? row(row(1) / (raw * raw)) : row(1);
    row weight = row(outer * unit);
    row const log_partition = row(student.max() * student.inverse_temperature() + student.log_z());
    row const z_loss = z == 0 ? row(0) : row(constant<row>(z) * log_partition * log_partition);
    row const pull = z == 0 ? row(0) : row(constant<row>(2 * z) * log_partition);

    sweep_anchor<row> anchor{row(0), row(0), row(0), row(0),
                             row(0), row(0), row(0), labelled ? factor : row(1)};
    group_sums<row> sums;
    sweeps_type sweep(team_, task_);
    // a divergence of weight 0 is none, even where it is infinite
    bool const divergences = lanes && group.factor != 0;
    if constexpr (lanes) {
      if (divergences) sweep.divergences(group, teacher, student, anchor, sums);
    }
    if (!divergences) sweep.labels_alone(group, student, anchor, sums);
    row value = row(weight * sums.loss);
    if constexpr (Group::has_function) {
      if (divergences) {
        auto const h = sweep.function_of_sums(group, teacher, student, outer, sums);
        row const by = row(unit * constant<row>(group.outer));
        value = row(by * h.value);
        weight = row(by * h.slope * (sums.by_escort ? row(1) : outer));
      }
    }
    row range = row(value + z_loss + sums.lost);
    if constexpr (Team::across || (lanes && decltype(group.lanes)::needs_powers)) {
      auto const beyond = powers_leave_range(group.lanes.reach(), teacher, student);
      range = math::select(beyond, row(limits_of<row>::quiet_NaN()), range);
    }
    bool leaves = leaves_range(task_, range, sums.total, sums.teacher_total);
    if constexpr (lanes) {
      leaves = leaves || (divergences &&
                          underflows<Student, Teacher>(task_, group.lanes, teacher, student,
                                                       sums.loss, {sums.total, anchor.omega},
                                                       {sums.teacher_total, sums.teacher_omega}));
    }
    team_.blocks(0, [](index) {});
    if (leaves) return;
    typename writer_type::part part{sums.total, weight,           sweep.anchor_weight(0),
                                    per_escort, !own_temperature, last};
    if constexpr (Student) {
      write_.student(student, part, pull, first, omega_at_zero(group, anchor, teacher, student));
    }
    if constexpr (Teacher) {
      part.total = sums.teacher_total;
      part.anchor_weight = sweep.anchor_weight(1);
      if (divergences) {
        write_.teacher(teacher, part);
      } else if (last) {
        write_.pass_teacher_on();
      }
    }
    task_.loss = row(task_.loss + value + z_loss);
    team_.blocks(0, [](index) {});
  }

  /// Where the student's gradient does not ask for it, or no class adds to it.
  struct no_limit {
    typename Team::lane from;
    DIVOT_HD typename Team::lane operator()(auto const&, index) const {
      return typename Team::lane(-from);
    }
  };
  /// ω relative to the anchor's, as q → 0, by place and block: what a student given as
  /// probabilities needs.
  template <class Group>
  DIVOT_HD auto omega_at_zero(Group const& group, sweep_anchor<row> const& anchor,
                              side const& teacher, side const& student) const {
    using lane = typename Team::lane;
    auto const from = spread<lane>(anchor.omega);
    if constexpr (Tangent && !decltype(group.lanes)::is_empty) {
      auto const form = group.lanes.template on_row<lane>(teacher.probability(),
                                                          student.probability(), anchor.words());
      bool const divergences = group.factor != 0;
      return [=, this, &teacher, &anchor](auto const& place, index b) {
        if (!divergences) return lane(-from);
        lane const p =
            place.load(task_.teacher_exponentials, 0) * spread<lane>(teacher.blocks()[b].scale);
        lane const limit = form.omega_at_zero_q(p, spread<lane>(anchor.ell));
        return lane(spread<lane>(anchor.factor) * limit - from);
      };
    } else {
      return no_limit{from};
    }
  }

  Team const& team_;
  row_task<Team>& task_;
  writer_type write_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
