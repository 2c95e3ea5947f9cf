// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/plan.hpp>
#include <divot/row/label_terms.hpp>
#include <divot/row/offset.hpp>
#include <divot/row/projection.hpp>
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
  /// The type with the widest range computes the limits that others hand over.
  static constexpr bool widest = std::is_same_v<T, long double>;

  loss_row(Team const& team, row_task<Team>& task) : team_(team), task_(task) {}

  template <class Plan>
  void run(Plan const& plan) {
    task_.loss = row(0);
    task_.student_temperature_gradient = task_.teacher_temperature_gradient = row(0);
    task_.bad = task_.beyond = false;
    double const z = Plan::may_have_z ? plan.z_weight : 0;
    constexpr std::size_t groups = std::tuple_size_v<decltype(plan.groups)>;
    // the z-loss has temperature 1; it joins the first group that has it too
    bool const z_joins = z != 0 && starts_at_one(std::get<0>(plan.groups));
    bool const z_alone = z != 0 && !z_joins;
    std::size_t done = 0;
    std::apply(
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
  bool starts_at_one(Group const& group) const {
    if (group.temperature != 0) return group.temperature == 1;
    auto const differs = task_.student_inverse_temperature != row(1);
    return !math::any<row>(differs);
  }

  template <class Group>
  void run_group(Group const& group, double z, bool first, bool last) {
    if (task_.bad || task_.beyond) return;
    constexpr bool lanes = !decltype(group.lanes)::is_empty;
    index const blocks = block_count<Team>(task_.classes);
    bool const own_temperature = group.temperature != 0;
    auto const own = inverse_words<row>(own_temperature ? group.temperature : 1.);
    // labels are a distribution already
    bool const teacher_own = own_temperature && !task_.teacher_normalised;
    side student(task_.student, task_.student_exponentials, task_.student_blocks, task_.classes,
                 own_temperature ? own.high : task_.student_inverse_temperature,
                 task_.student_normalised, own_temperature ? own.low : task_.student_inverse_low);
    side teacher(task_.teacher, task_.teacher_exponentials, task_.teacher_blocks, task_.classes,
                 teacher_own ? own.high : task_.teacher_inverse_temperature,
                 task_.teacher_normalised, teacher_own ? own.low : task_.teacher_inverse_low);
    team_.blocks(blocks, [&](index b) {
      // side by side: one sweep's last sums come in while the other goes on
      if constexpr (lanes) teacher.look(b);
      student.look(b);
      if constexpr (lanes) teacher.exponentiate(b);
      student.exponentiate(b);
    });
    if (student.hopeless() || (lanes && teacher.hopeless())) {
      task_.bad = true;
      team_.blocks(0, [](index) {});
      return;
    }
    student.join();
    if constexpr (lanes) teacher.join();
    if (student.is_off(task_.student_tolerance) ||
        (lanes && teacher.is_off(task_.teacher_tolerance))) {
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
    row const weight = group.t_squared ? row(outer / (inverse * inverse)) : outer;
    row const log_partition = row(student.max() * student.inverse_temperature() + student.log_z());
    row const z_loss = z == 0 ? row(0) : row(constant<row>(z) * log_partition * log_partition);
    row const pull = z == 0 ? row(0) : row(constant<row>(2 * z) * log_partition);

    sweep_anchor<row> anchor{
        row(0), row(0), row(0), row(0), row(0), row(0), labelled ? factor : row(1)};
    row loss(0), total(0), teacher_total(0), teacher_omega(0);
    // a divergence of weight 0 is none, even where it is infinite
    bool const divergences = lanes && group.factor != 0;
    if constexpr (lanes) {
      if (divergences) {
        log_ratio<Team> ratio(teacher, student);
        row const there = Team::at(task_.teacher, student.argmax());
        auto const correct = group.lanes.needs_exact_offset()
                                 ? row(0) == row(0)
                                 : nearly_equal(task_, teacher, student, ratio, there);
        // probabilities are taken as they are given: their offset is 0
        bool const given = task_.teacher_normalised && task_.student_normalised;
        if (!given && math::any<row>(correct)) {
          offset_correction<Team>(team_, task_, teacher, student)(ratio, correct);
        }
        anchor_at<false>(group.lanes, teacher, student, ratio, there, anchor);
        auto const labels = label_part(team_, task_, group, student, anchor);
        auto const p = teacher.probability(), q = student.probability();
        auto const form = group.lanes.template on_row<typename Team::lane>(p, q, anchor.ell);
        team_.blocks(blocks, [&](index b) {
          divergence_block<false, Student, labelled>(task_, teacher, student, ratio, form, anchor,
                                                     task_.student_weights, b);
          if constexpr (Student) patch_label(task_, labels, b);
        });
        sweep_block<row> const sums = add_blocks(task_);
        loss = row(anchor.factor * (sums.loss + anchor.loss) + labels.loss);
        total = row(sums.weight - labels.elsewhere);
        if constexpr (Teacher) {
          auto const dual = group.lanes.dual();
          sweep_anchor<row> back = anchor;  // the teacher's
          back.uniform = row(0);
          anchor_at<true>(dual, teacher, student, ratio, Team::at(task_.student, teacher.argmax()),
                          back);
          auto const dual_form = dual.template on_row<typename Team::lane>(q, p, back.ell);
          team_.blocks(0, [](index) {});
          team_.blocks(blocks, [&](index b) {
            divergence_block<true, true, labelled>(task_, teacher, student, ratio, dual_form, back,
                                                   task_.teacher_weights, b);
          });
          teacher_total = add_blocks(task_).weight;
          teacher_omega = back.omega;
        }
      }
    }
    if (!divergences) {
      auto const labels = label_part(team_, task_, group, student, anchor);
      if constexpr (Student) {
        team_.blocks(blocks, [&](index b) {
          label_block(task_, student, anchor, b);
          patch_label(task_, labels, b);
        });
        total = row(add_blocks(task_).weight - labels.elsewhere);
      }
      loss = labels.loss;
    }
    row range = row(weight * loss + z_loss);
    if constexpr (Team::across || (lanes && decltype(group.lanes)::needs_powers)) {
      auto const beyond = powers_leave_range(group.lanes.reach(), teacher, student);
      range = math::select(beyond, row(limits_of<row>::quiet_NaN()), range);
    }
    bool leaves = leaves_range(task_, range, total, teacher_total);
    if constexpr (lanes) {
      leaves = leaves ||
               (divergences && underflows<Student, Teacher>(task_, group.lanes, teacher, student,
                                                            loss, {total, anchor.omega},
                                                            {teacher_total, teacher_omega}));
    }
    team_.blocks(0, [](index) {});
    if (leaves) return;
    if constexpr (Student) {
      finish(student, total, weight, pull, own_temperature, first, last,
             omega_at_zero(group, anchor, teacher, student));
    }
    if constexpr (Teacher) {
      if (divergences) {
        finish_teacher(teacher, teacher_total, weight, own_temperature, last);
      } else if (last) {
        pass_teacher_on();
      }
    }
    task_.loss = row(task_.loss + weight * loss + z_loss);
    team_.blocks(0, [](index) {});
  }

  /// `set_anchor`; in the widest type an infinite slope there means no anchor: the limits are then
  /// taken class by class.
  template <bool Swap, class Bound>
  void anchor_at(Bound const& bound, side const& teacher, side const& student,
                 log_ratio<Team> const& ratio, row const& other, sweep_anchor<row>& anchor) {
    set_anchor<Swap>(bound, teacher, student, ratio, other, anchor);
    if constexpr (widest) {
      anchor_weight_[Swap] = row(0);
      if (!is_finite_number(anchor.omega)) {
        anchor_weight_[Swap] = anchor.omega;
        anchor.omega = row(0);
      }
    }
  }

  /// ω relative to the anchor's, as q → 0, by place and block: what a student given as
  /// probabilities needs.
  template <class Group>
  auto omega_at_zero(Group const& group, sweep_anchor<row> const& anchor, side const& teacher,
                     side const& student) const {
    using lane = typename Team::lane;
    auto const from = spread<lane>(anchor.omega);
    if constexpr (Tangent && !decltype(group.lanes)::is_empty) {
      auto const form = group.lanes.template on_row<lane>(teacher.probability(),
                                                          student.probability(), anchor.ell);
      bool const divergences = group.factor != 0;
      return [=, this, &teacher, &anchor](auto const& place, index b) {
        if (!divergences) return lane(-from);
        lane const p =
            place.load(task_.teacher_exponentials, 0) * spread<lane>(teacher.blocks()[b].scale);
        lane const limit = form.omega_at_zero_q(p, spread<lane>(anchor.ell));
        return lane(spread<lane>(anchor.factor) * limit - from);
      };
    } else {
      return [from](auto const&, index) { return lane(-from); };
    }
  }

  template <class Limit>
  void finish(side const& student, row const& total, row const& weight, row const& pull,
              bool own_temperature, bool first, bool last, Limit const& limit) {
    row const scale = row(weight * task_.student_scale);
    projection<Team> to{
        task_.student_weights, total, Tangent ? scale : row(scale * student.inverse_temperature()),
        row(pull * task_.student_scale), last ? task_.student_gradient : task_.student_partial};
    to.before = first ? nullptr : task_.student_partial;
    to.add = last && task_.student_add;
    to.stream = last && task_.student_stream && Team::may_stream(to.target);
    to.temperature = task_.want_temperature && !own_temperature;
    row moment(0);
    if constexpr (Tangent) {
      if (is_infinite(to, anchor_weight_[0])) {
        write_infinite(student, to, task_.student_weights, anchor_weight_[0]);
      } else {
        team_.blocks(block_count<Team>(task_.classes),
                     [&](index b) { project_tangent_block(task_, student, to, limit, b); });
      }
    } else {
      moment = write(student, to, task_.student_weights, anchor_weight_[0]);
    }
    if (to.temperature) {
      task_.student_temperature_gradient =
          row(task_.student_temperature_gradient - moment * student.inverse_temperature());
    }
  }

  void finish_teacher(side const& teacher, row const& total, row const& weight,
                      bool own_temperature, bool last) {
    projection<Team> to{task_.teacher_weights, total,
                        row(weight * task_.teacher_scale * teacher.inverse_temperature()), row(0),
                        last ? task_.teacher_gradient : task_.teacher_partial};
    to.before = teacher_started_ ? task_.teacher_partial : nullptr;
    teacher_started_ = true;
    to.add = last && task_.teacher_add;
    to.stream = last && task_.teacher_stream && Team::may_stream(to.target);
    to.temperature = task_.want_temperature && !own_temperature;
    row const moment = write(teacher, to, task_.teacher_weights, anchor_weight_[1]);
    if (to.temperature) {
      task_.teacher_temperature_gradient =
          row(task_.teacher_temperature_gradient - moment * teacher.inverse_temperature());
    }
  }

  /// The last group had no divergence in it: what the earlier ones left goes to the target.
  void pass_teacher_on() {
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      Team::each(b * block_columns, block_length<Team>(task_.classes, b), [&](auto const& place) {
        typename Team::lane g(T(0));
        if (teacher_started_) g = g + place.load(task_.teacher_partial, 0);
        if (task_.teacher_add) g = g + place.load(task_.teacher_gradient, 0);
        place.store(task_.teacher_gradient, g);
      });
    });
  }

  row write(side const& own, projection<Team> const& to, T* weights, row const& anchor_weight) {
    if (is_infinite(to, anchor_weight)) {
      write_infinite(own, to, weights, anchor_weight);
      return row(0);
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
  static bool is_infinite(projection<Team> const& to, row const& anchor_weight) {
    if constexpr (widest) {
      return !is_finite_number(to.total) || !is_finite_number(anchor_weight);
    } else {
      return false;
    }
  }
  void write_infinite(side const& own, projection<Team> const& to, T* weights,
                      row const& anchor_weight) {
    if constexpr (widest) {
      if (!is_finite_number(anchor_weight)) weights[own.argmax()] = anchor_weight;
      project_infinite<Tangent>(task_, own, to);
    }
  }

  Team const& team_;
  row_task<Team>& task_;
  bool teacher_started_ = false;
  // w at the student's and the teacher's anchor where it is infinite; widest type only
  row anchor_weight_[2] = {row(0), row(0)};
};

}  // namespace DIVOT_ABI
}  // namespace divot
