// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/plan.hpp>
#include <divot/row/offset.hpp>
#include <divot/row/projection.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Computes one row of a loss: every group's sweeps, then the gradients, written once.
///
/// Student, Teacher say which gradients are wanted. Several workers may call this together on one
/// row; each then holds a copy of the task and all see the same outcome.
template <bool Student, bool Teacher, class Team>
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
    double const z = plan.z_weight;
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
    if (z_alone) {
      loss_group<bound_sum<>> only{};
      only.temperature = 1;
      run_group(only, z, false, true);
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
    row const given = own_temperature ? row(row(1) / constant<row>(group.temperature)) : row(1);
    side student(task_.student, task_.student_exponentials, task_.student_blocks, task_.classes,
                 own_temperature ? given : task_.student_inverse_temperature,
                 task_.student_normalised);
    side teacher(task_.teacher, task_.teacher_exponentials, task_.teacher_blocks, task_.classes,
                 own_temperature ? given : task_.teacher_inverse_temperature,
                 task_.teacher_normalised);
    team_.blocks(blocks, [&](index b) {
      if constexpr (lanes) teacher.begin(b);
      student.begin(b);
    });
    if (is_bad(student, lanes ? &teacher : nullptr)) {
      task_.bad = true;
      team_.blocks(0, [](index) {});
      return;
    }
    student.join();
    if constexpr (lanes) teacher.join();
    if (is_off(student, task_.student_tolerance) ||
        (lanes && is_off(teacher, task_.teacher_tolerance))) {
      task_.bad = true;
      team_.blocks(0, [](index) {});
      return;
    }

    // joining reads the exponentials, the sweep may overwrite the teacher's
    team_.blocks(0, [](index) {});
    row const squared =
        row(row(1) / (student.inverse_temperature() * student.inverse_temperature()));
    row const weight = group.t_squared ? squared : row(1);
    row const log_partition = row(student.max() * student.inverse_temperature() + student.log_z());
    row const z_loss = z == 0 ? row(0) : row(constant<row>(z) * log_partition * log_partition);
    row const pull = z == 0 ? row(0) : row(constant<row>(2 * z) * log_partition);

    // the student's sweep
    sweep_anchor<row> anchor{
        row(0), row(0), row(0), row(0), row(0), row(0), constant<row>(group.factor)};
    row loss(0), total(0);
    if constexpr (lanes) {
      log_ratio<Team> ratio(teacher, student);
      if (group.lanes.needs_exact_offset()) {
        correct_offset(team_, task_, teacher, student, ratio);
      }
      set_anchor<false>(group.lanes, teacher, student, ratio, anchor);
      label_terms const labels = label_part(group, student, anchor);
      team_.blocks(blocks, [&](index b) {
        divergence_block<false, Student>(task_, teacher, student, ratio, group.lanes, anchor,
                                         task_.student_weights, b);
        patch_label(labels, b);
      });
      sweep_block<row> const sums = add_blocks();
      loss = row(anchor.factor * (sums.loss + anchor.loss) + labels.loss);
      total = row(sums.weight - labels.elsewhere);
      sweep_anchor<row> back = anchor;  // the teacher's
      row teacher_total(0);
      if constexpr (Teacher) {
        auto const dual = group.lanes.dual();
        back.uniform = row(0);
        set_anchor<true>(dual, teacher, student, ratio, back);
        team_.blocks(0, [](index) {});
        team_.blocks(blocks, [&](index b) {
          divergence_block<true, true>(task_, teacher, student, ratio, dual, back,
                                       task_.teacher_weights, b);
        });
        teacher_total = add_blocks().weight;
      }
      bool const leaves = leaves_range(row(loss + z_loss), total, teacher_total) ||
                          underflows(group.lanes, teacher, student, loss, total, teacher_total);
      team_.blocks(0, [](index) {});
      if (leaves) return;
      if constexpr (Student) {
        finish(student, total, weight, pull, own_temperature, first, last,
               [&](auto const& place, index b) {
                 return omega_at_zero(group.lanes, anchor, teacher, place, b);
               });
      }
      if constexpr (Teacher) {
        finish_teacher(teacher, teacher_total, weight, own_temperature, last);
      }
    } else {
      label_terms const labels = label_part(group, student, anchor);
      if constexpr (Student) {
        team_.blocks(blocks, [&](index b) {
          label_block(task_, student, anchor, b);
          patch_label(labels, b);
        });
        total = row(add_blocks().weight - labels.elsewhere);
      }
      loss = labels.loss;
      bool const leaves = leaves_range(row(loss + z_loss), total, row(0));
      team_.blocks(0, [](index) {});
      if (leaves) return;
      if constexpr (Student) {
        finish(student, total, weight, pull, own_temperature, first, last,
               [&](auto const&, index) { return spread<typename Team::lane>(row(-anchor.omega)); });
      }
      if constexpr (Teacher) {
        if (last) pass_teacher_on();
      }
    }
    task_.loss = row(task_.loss + weight * loss + z_loss);
    team_.blocks(0, [](index) {});
  }

  bool is_bad(side const& student, side const* teacher) const {
    if constexpr (Team::across) {
      return false;  // lanes were screened when the panel was filled
    } else {
      auto const hopeless = [&](side const& s) {
        if (s.bad()) return true;
        for (index b = 0; b < block_count<Team>(task_.classes); ++b) {
          if (is_finite_number(s.blocks()[b].max)) return false;
        }
        return true;
      };
      return hopeless(student) || (teacher != nullptr && hopeless(*teacher));
    }
  }

  /// Log-probabilities that do not sum to 1.
  static bool is_off(side const& s, double tolerance) {
    if constexpr (Team::across) {
      return false;  // such operands are never walked across lanes
    } else {
      return s.normalised() && !(math::abs(row(s.mass() - row(1))) <= constant<row>(tolerance));
    }
  }

  /// Evaluates the divergences at the class where the (Swap: teacher's) probability is largest.
  template <bool Swap, class Bound>
  void set_anchor(Bound const& bound, side const& teacher, side const& student,
                  log_ratio<Team> const& ratio, sweep_anchor<row>& anchor) {
    side const& own = Swap ? teacher : student;
    row const low(static_cast<row>(-limits_of<row>::infinity()));
    row const t = Team::at(task_.teacher, own.argmax()), s = Team::at(task_.student, own.argmax());
    auto const t_gone = t == low, s_gone = s == low;
    row const safe_t = math::select(t_gone, teacher.max(), t);
    row const safe_s = math::select(s_gone, student.max(), s);
    typename log_ratio<Team>::template on_lanes<row> const ell_of(ratio);
    class_point<row> x{};
    x.log_p = teacher.log_probability(safe_t);
    x.log_q = student.log_probability(safe_s);
    x.p = math::select(t_gone, row(0), math::exp(x.log_p));
    x.q = math::select(s_gone, row(0), math::exp(x.log_q));
    row const none = row(0);
    x.ell = math::select(t_gone || s_gone, none, ell_of(safe_t, safe_s));
    if constexpr (Swap) x = x.swapped();
    auto const other_gone = Swap ? s_gone : t_gone;
    auto const never = other_gone && !other_gone;
    anchor.ell = math::select(other_gone, constant<row>(-1e30), x.ell);
    anchor.teacher = safe_t;
    anchor.student = safe_s;
    class_terms<row> const terms = bound.at_edge(x, anchor.ell, other_gone, never);
    anchor.loss = terms.loss;
    anchor.omega = row(anchor.factor * terms.w / x.q);
    if constexpr (widest) {
      // an infinite slope at the anchor: no anchor then, the limits are taken class by class
      anchor_weight_[Swap] = row(0);
      if (!is_finite_number(anchor.omega)) {
        anchor_weight_[Swap] = anchor.omega;
        anchor.omega = row(0);
      }
    }
  }

  /// ω relative to the anchor's, as q → 0: what a student given as probabilities needs.
  template <class Bound, class Place>
  auto omega_at_zero(Bound const& bound, sweep_anchor<row> const& anchor, side const& teacher,
                     Place const& place, index b) const {
    using lane = typename Team::lane;
    lane const p =
        place.load(task_.teacher_exponentials, 0) * spread<lane>(teacher.blocks()[b].scale);
    lane const limit = bound.omega_at_zero_q(p, spread<lane>(anchor.ell));
    return lane(spread<lane>(anchor.factor) * limit - spread<lane>(anchor.omega));
  }

  struct label_terms {
    row loss = row(0);
    row elsewhere = row(0);  // what the label's own class takes, where it is not the anchor
    bool any = false;
  };

  template <class Group>
  label_terms label_part(Group const& group, side const& student, sweep_anchor<row>& anchor) {
    label_terms out;
    if (!group.has_labels() || !task_.has_label) return out;
    out.any = true;
    double const smoothing = task_.label_smoothing;
    double const one_hot = group.one_hot + group.own_smoothing * (1 - smoothing);
    double const spread_mass = group.uniform + group.own_smoothing * smoothing;
    row const log_q = student.log_probability(Team::at(task_.student, task_.label));
    if (one_hot != 0) out.loss = row(-constant<row>(one_hot) * log_q);
    if (spread_mass != 0) {
      double const share = spread_mass / static_cast<double>(task_.classes);
      out.loss = row(out.loss - constant<row>(share) * sum_log_probabilities(student));
      anchor.uniform = constant<row>(share);
    }
    row const hit = constant<row>(one_hot);
    auto const at_anchor = task_.label == student.argmax();
    row const here = math::select(at_anchor, hit, row(0));
    out.elsewhere = math::select(at_anchor, row(0), hit);
    anchor.omega = row(anchor.omega - (anchor.uniform + here) / student.top());
    return out;
  }

  row sum_log_probabilities(side const& student) {
    using lane = typename Team::lane;
    lane const max = spread<lane>(student.max());
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      typename Team::accumulator total(T(0));
      Team::each(b * block_columns, block_length<Team>(task_.classes, b), Team::nowhere(),
                 [&](auto const& place) {
                   total += place.keep(typename Team::lane(place.load(task_.student, 0) - max));
                 });
      task_.sweep_blocks[b] = {Team::sum(total), row(0)};
    });
    row const total = add_blocks().loss;
    team_.blocks(0, [](index) {});
    return row(total * student.inverse_temperature() -
               constant<row>(static_cast<double>(task_.classes)) * student.log_z());
  }

  void patch_label(label_terms const& labels, index b) {
    if constexpr (Student) {
      if (!labels.any) return;
      if constexpr (!Team::across) {
        if (task_.label / block_columns != b) return;
      }
      Team::add_at(task_.student_weights, task_.label, row(-labels.elsewhere));
    }
  }

  sweep_block<row> add_blocks() const {
    sweep_block<row> total{row(0), row(0)};
    for (index b = 0; b < block_count<Team>(task_.classes); ++b) {
      total.loss = row(total.loss + task_.sweep_blocks[b].loss);
      total.weight = row(total.weight + task_.sweep_blocks[b].weight);
    }
    return total;
  }

  /// A loss or a sum that is not finite: a wider type must take the row over.
  bool leaves_range(row const& loss, row const& total, row const& teacher_total) {
    if constexpr (Team::across) {
      // the lane's loss says so: NaN there means "not done"
      auto const fine = (loss - loss == row(0)) && (total - total == row(0)) &&
                        (teacher_total - teacher_total == row(0));
      task_.loss = math::select(fine, task_.loss, row(limits_of<row>::quiet_NaN()));
      return false;
    } else if constexpr (is_real<T> && !widest) {
      task_.beyond =
          !(is_finite_number(loss) && is_finite_number(total) && is_finite_number(teacher_total));
      return task_.beyond;
    } else {
      return false;
    }
  }

  /// Logits so far apart that probabilities underflow, and a result that may hang on them.
  template <class Bound>
  bool underflows([[maybe_unused]] Bound const& bound, side const& teacher, side const& student,
                  row const& loss, row const& total, row const& teacher_total) {
    if constexpr (!is_real<T> || widest) {
      return false;
    } else {
      constexpr double limit = std::is_same_v<T, float> ? 80 : 690;
      constexpr double small = std::is_same_v<T, float> ? 1e-8 : 1e-100;
      auto const wide =
          teacher.range() > constant<row>(limit) || student.range() > constant<row>(limit);
      if (!math::any<row>(wide)) return false;
      row const tiny = constant<row>(small);
      auto matters = Bound::spans_range ? wide : wide && !wide;
      if constexpr (Student) matters = matters || (wide && math::abs(total) < tiny);
      if constexpr (Teacher) matters = matters || (wide && math::abs(teacher_total) < tiny);
      if constexpr (!Student && !Teacher) matters = matters || (wide && loss < tiny);
      if constexpr (Team::across) {
        task_.loss = math::select(matters, row(limits_of<row>::quiet_NaN()), task_.loss);
        return false;
      } else {
        task_.beyond = matters;
        return matters;
      }
    }
  }

  template <class Limit>
  void finish(side const& student, row const& total, row const& weight, row const& pull,
              bool own_temperature, bool first, bool last, Limit const& limit) {
    row const scale = row(weight * task_.student_scale);
    projection<Team> to{task_.student_weights, total,
                        task_.student_tangent ? scale : row(scale * student.inverse_temperature()),
                        row(pull * task_.student_scale),
                        last ? task_.student_gradient : task_.student_partial};
    to.before = first ? nullptr : task_.student_partial;
    to.add = last && task_.student_add;
    to.temperature = task_.want_temperature && !own_temperature;
    row moment(0);
    if (task_.student_tangent) {
      team_.blocks(block_count<Team>(task_.classes),
                   [&](index b) { project_tangent_block(task_, student, to, limit, b); });
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
      Team::each(b * block_columns, block_length<Team>(task_.classes, b), Team::nowhere(),
                 [&](auto const& place) {
                   typename Team::lane g(T(0));
                   if (teacher_started_) g = g + place.load(task_.teacher_partial, 0);
                   if (task_.teacher_add) g = g + place.load(task_.teacher_gradient, 0);
                   place.store(task_.teacher_gradient, g);
                 });
    });
  }

  row write(side const& own, projection<Team> const& to, T* weights, row const& anchor_weight) {
    if constexpr (widest) {
      if (!is_finite_number(to.total) || !is_finite_number(anchor_weight)) {
        if (!is_finite_number(anchor_weight)) weights[own.argmax()] = anchor_weight;
        project_infinite(task_, own, to);
        return row(0);
      }
    }
    team_.blocks(block_count<Team>(task_.classes),
                 [&](index b) { project_block(task_, own, to, b); });
    row moment(0);
    if (to.temperature) moment = add_blocks().loss;
    team_.blocks(0, [](index) {});
    return moment;
  }

  Team const& team_;
  row_task<Team>& task_;
  bool teacher_started_ = false;
  // w at the student's and the teacher's anchor where it is infinite; widest type only
  row anchor_weight_[2] = {row(0), row(0)};
};

}  // namespace DIVOT_ABI
}  // namespace divot
