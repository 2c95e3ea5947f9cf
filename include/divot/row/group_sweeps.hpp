// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/row_function.hpp>
#include <divot/row/escort.hpp>
#include <divot/row/label_terms.hpp>
#include <divot/row/lost_digits.hpp>
#include <divot/row/offset.hpp>
#include <divot/row/range.hpp>
#include <divot/row/sweep.hpp>

#include <cmath>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// What the sweeps of a group add up to.
template <class Row>
struct group_sums {
  Row loss = Row(0), total = Row(0), teacher_total = Row(0);  // Σ d, Σ w̃ of either side
  Row teacher_omega = Row(0);
  Row lost = Row(0);       // NaN where a difference of slopes has lost digits
  bool by_escort = false;  // the loss is Rényi's divergence itself
};

/// The sweeps of a group of terms over a row: its loss, w̃ of both sides, and what a function of the
/// divergence makes of them.
template <bool Student, bool Teacher, class Team>
class group_sweeps {
 public:
  using T = typename Team::scalar;
  using row = typename Team::row;
  using side = softmax_side<Team>;
  using row_sums = group_sums<row>;
  /// The type with the widest range computes the limits that others hand over.
  static constexpr bool widest = Team::widest;

  DIVOT_HD group_sweeps(Team const& team, row_task<Team> const& task) : team_(team), task_(task) {}

  template <class Group>
  DIVOT_HD void divergences(Group const& group, side const& teacher, side const& student,
                            sweep_anchor<row>& anchor, row_sums& sums) {
    index const blocks = block_count<Team>(task_.classes);
    constexpr bool labelled = Group::may_have_labels;
    log_ratio<Team> ratio(teacher, student);
    row const there = Team::at(task_.teacher, student.argmax());
    auto const correct = group.lanes.needs_exact_offset()
                             ? row(0) == row(0)
                             : nearly_equal(task_, teacher, student, ratio, there);
    // probabilities are taken as they are given: their offset is 0
    bool const given = task_.teacher_normalised && task_.student_normalised;
    row rounded(given ? 0 : 1);
    if (!given && math::any<row>(correct)) {
      rounded = offset_correction<Team>(team_, task_, teacher, student)(ratio, correct);
    }
    lost_digits<Team> const lost(team_, task_, rounded);
    if constexpr (has_order<Group>) {
      if (group.function.is_infinite()) return escort_sweeps(group, teacher, student, ratio, sums);
    }
    anchor_at<false>(group.lanes, teacher, student, ratio, there, anchor);
    auto const labels = label_part(team_, task_, group, student, anchor);
    auto const p = teacher.probability(), q = student.probability();
    auto const form = group.lanes.template on_row<typename Team::lane>(p, q, anchor.words());
    team_.blocks(blocks, [&](index b) {
      divergence_block<false, Student, labelled>(task_, teacher, student, ratio, form, anchor,
                                                 task_.student_weights, b);
      if constexpr (Student) patch_label(task_, labels, b);
    });
    sweep_block<row> const total = add_blocks(task_);
    sums.loss = row(anchor.factor * (total.loss + anchor.loss) + labels.loss);
    sums.total = row(total.weight - labels.elsewhere);
    if constexpr (Student) {
      sums.lost = lost(form, student, anchor, total.weight, task_.student_weights);
    }
    if constexpr (Teacher) {
      auto const dual = group.lanes.dual();
      sweep_anchor<row> back = anchor;  // the teacher's
      back.uniform = row(0);
      anchor_at<true>(dual, teacher, student, ratio, Team::at(task_.student, teacher.argmax()),
                      back);
      auto const dual_form = dual.template on_row<typename Team::lane>(q, p, back.words());
      team_.blocks(0, [](index) {});
      team_.blocks(blocks, [&](index b) {
        divergence_block<true, true, labelled>(task_, teacher, student, ratio, dual_form, back,
                                               task_.teacher_weights, b);
      });
      sweep_block<row> const back_total = add_blocks(task_);
      sums.teacher_total = back_total.weight;
      sums.teacher_omega = back.omega;
      sums.lost =
          row(sums.lost + lost(dual_form, teacher, back, back_total.weight, task_.teacher_weights));
    }
    if constexpr (has_order<Group> && widest) {
      // powers beyond any range, above or below: by logarithms; at orders 0 and 1 there are none,
      // and next to them they are all alike unless their sum is infinite
      double const order = group.function.order();
      bool const endless = !is_finite_number(sums.loss);
      bool const beyond = endless || group.function.needs_mass(sums.loss);
      if (beyond && std::abs(order) > 1e-8 &&
          (std::abs(order - 1) > 1e-8 || (endless && order > 1))) {
        escort_sweeps(group, teacher, student, ratio, sums);
      }
    }
  }

  /// A group without divergences.
  template <class Group>
  DIVOT_HD void labels_alone(Group const& group, side const& student, sweep_anchor<row>& anchor,
                             row_sums& sums) const {
    auto const labels = label_part(team_, task_, group, student, anchor);
    if constexpr (Student) {
      team_.blocks(block_count<Team>(task_.classes), [&](index b) {
        label_block(task_, student, anchor, b);
        patch_label(task_, labels, b);
      });
      sums.total = row(add_blocks(task_).weight - labels.elsewhere);
    }
    sums.loss = labels.loss;
  }

  /// h(D) and h'(D) of the group's function; NaN where a wider type must take over.
  template <class Group>
  DIVOT_HD function_value<row> function_of_sums(Group const& group, side const& teacher,
                                                side const& student, row const& factor,
                                                row_sums& sums) {
    function_value<row> h;
    if (sums.by_escort) {
      if constexpr (has_order<Group>) {
        double const by =
            group.function.is_infinite() ? 1 : group.function.scale() / group.function.order();
        h = group.function.of_degree(row(constant<row>(by) * sums.loss), constant<row>(by));
      }
    } else {
      row const d = row(factor * sums.loss);
      row mass(1);
      auto lost = d != d;
      if constexpr (has_order<Group>) {
        auto const small = group.function.needs_mass(d);
        if (math::any<row>(small)) {
          mass = power_mass(team_, task_, teacher, student, group.function.exponent_of_p());
        }
        lost = lost || !(mass > smallest_exact());
      }
      h = group.function.at(d, mass);
      if constexpr (!widest && is_real<T>) {
        lost = lost || (d > row(0) && !(d > smallest_exact()));
        // a slope as small, too, is rounded to what is left of its digits, or to 0, and one as
        // large to infinity; what it multiplies may be at the other end
        auto const within = h.slope > smallest_exact() && h.slope < largest_exact();
        lost = lost || (d > row(0) && !within);
        h.value = math::select(lost, row(limits_of<row>::quiet_NaN()), h.value);
      }
    }
    if constexpr (widest) {
      // entries of 0 stay 0 where others overflow, whatever weights and temperature multiply them
      // by
      using limits = std::numeric_limits<T>;
      using number = std::numeric_limits<double>;
      constexpr bool wide = limits::max_exponent > 8 * number::max_exponent;
      constexpr T room = wide ? static_cast<T>(number::max()) : T(1);
      h.slope = math::min(h.slope, static_cast<row>(limits::max() / room / room / room));
    }
    return h;
  }
  /// w at the student's (0) and the teacher's (1) anchor where it is infinite, else 0; widest type
  /// only.
  DIVOT_HD row const& anchor_weight(int of_teacher) const { return anchor_weight_[of_teacher]; }

 private:
  template <class Group>
  static constexpr bool has_order = [] {
    if constexpr (Group::has_function) {
      return decltype(Group::function)::has_order;
    } else {
      return false;
    }
  }();

  /// Rényi's divergence and w̃ of both sides without the divergence's own sweep.
  template <class Group>
  DIVOT_HD void escort_sweeps(Group const& group, side const& teacher, side const& student,
                              log_ratio<Team> const& ratio, row_sums& sums) {
    auto const& function = group.function;
    bool const swapped = function.is_reversed();
    double const first = function.is_infinite() ? 1 : function.order() / (function.order() - 1);
    auto const of = [&](side const& own, T* weights, bool is_first) {
      team_.blocks(0, [](index) {});
      escort_row<Team> e(team_, task_, teacher, student, ratio, function.order(), swapped, weights);
      sums.loss = e.renyi();
      return e.finish(own, constant<row>(is_first ? first : -1));
    };
    sums.by_escort = true;
    anchor_weight_[0] = anchor_weight_[1] = row(0);
    if constexpr (Teacher) sums.teacher_total = of(teacher, task_.teacher_weights, !swapped);
    // last: w̃ may take the place of the teacher's exponentials
    if constexpr (Student || !Teacher) {
      sums.total = of(student, task_.student_weights, swapped);
    }
  }

  /// Sums below this hang on probabilities that have lost digits.
  DIVOT_HD static row smallest_exact() {
    return constant<row>(widest || !is_real<T> ? 0 : sizeof(T) == 4 ? 1e-30 : 1e-290);
  }

  /// A slope above this may leave the range.
  DIVOT_HD static row largest_exact() { return constant<row>(sizeof(T) == 4 ? 1e30 : 1e290); }

  /// `set_anchor`; in the widest type an infinite slope there means no anchor: the limits are then
  /// taken class by class.
  template <bool Swap, class Bound>
  DIVOT_HD void anchor_at(Bound const& bound, side const& teacher, side const& student,
                          log_ratio<Team> const& ratio, row const& other,
                          sweep_anchor<row>& anchor) {
    set_anchor<Swap>(bound, teacher, student, ratio, other, anchor);
    if constexpr (widest) {
      anchor_weight_[Swap] = row(0);
      if (!is_finite_number(anchor.omega)) {
        anchor_weight_[Swap] = anchor.omega;
        anchor.omega = row(0);
      }
    }
  }

  Team const& team_;
  row_task<Team> const& task_;
  row anchor_weight_[2] = {row(0), row(0)};
};

}  // namespace DIVOT_ABI
}  // namespace divot
