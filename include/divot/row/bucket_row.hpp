// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/unpack.hpp>
#include <divot/family/split_plan.hpp>
#include <divot/row/loss_row.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace divot {
inline namespace DIVOT_ABI {

/// The row of K + 1 classes that stands for a long one: its task, and where its operands go.
template <class Team>
struct reduced_row {
  row_task<Team> task;
  typename Team::scalar* teacher;
  typename Team::scalar* student;
};

/// Computes one row of a loss whose teacher gives the probabilities of K classes and that of all
/// others together.
///
///   s_T = T log Σ_tail e^(s_k/T)      ∂D/∂s_k = (q_k/q_T)·∂D/∂s_T  for k in the tail
///
/// With s_T as the last of K + 1 logits the student's mass in the tail is that class's probability,
/// so the row function does the rest; q_k/q_T is the softmax over the tail alone. Labels and z-loss
/// look at all classes: they are a loss of their own, over the whole row.
template <bool Student, bool Tangent, class Team>
class bucket_row {
 public:
  using T = typename Team::scalar;
  using row = typename Team::row;
  using lane = typename Team::lane;
  using side = softmax_side<Team>;

  DIVOT_HD bucket_row(Team const& team, row_task<Team>& task, reduced_row<Team>& few)
      : team_(team), task_(task), few_(few), x_(task.teacher_exponentials) {}

  template <class Plan, class Source>
  DIVOT_HD void run(Plan const& plan, Source const& teacher, index r) {
    task_.loss = row(0);
    task_.student_temperature_gradient = task_.teacher_temperature_gradient = row(0);
    task_.bad = task_.beyond = false;
    start(plan);
    if (is_over()) return;
    gather(teacher, r);
    constexpr bool alone = is_alone<Plan>;
    unpack([&](auto const&... group) { (..., run_group<alone>(group, teacher, r)); }, plan.groups);
    if constexpr (Student && !alone) {
      if (!is_over()) write();
    }
  }

 private:
  DIVOT_HD bool is_over() const { return task_.bad || task_.beyond; }

  /// One group of divergences and nothing else: its gradient goes to where it is wanted.
  template <class Plan>
  static constexpr bool is_alone =
      !has_others<Plan> && std::tuple_size_v<decltype(Plan::groups)> == 1;

  /// What is no divergence, or nothing.
  template <class Plan>
  DIVOT_HD void start(Plan const& plan) {
    if constexpr (has_others<Plan>) {
      row_task<Team> own = task_;
      own.student_gradient = task_.student_partial;
      own.student_add = own.student_stream = false;
      auto const others = without_divergences(plan);
      loss_row<Student, false, Tangent, Team>(team_, own).run(others);
      task_.loss = own.loss;
      task_.student_temperature_gradient = own.student_temperature_gradient;
      task_.bad = own.bad;
      task_.beyond = own.beyond;
    } else if constexpr (Student && !is_alone<Plan>) {
      std::fill(task_.student_partial, task_.student_partial + task_.classes, T(0));
    }
  }

  /// The named classes into the reduced row; in a copy of the student's row the tail alone is left.
  template <class Source>
  DIVOT_HD void gather(Source const& teacher, index r) {
    index const named = teacher.named();
    std::copy(task_.student, task_.student + task_.classes, x_);
    for (index j = 0; j < named; ++j) {
      T& x = x_[teacher.class_at(r, j)];
      few_.teacher[j] = teacher.log_p(r, j);
      few_.student[j] = x;
      x = T(-std::numeric_limits<double>::infinity());
    }
    has_tail_ = named < task_.classes;
    if (has_tail_) log_tail_ = teacher.log_tail(r);
    few_.task.classes = named + (has_tail_ ? 1 : 0);
    few_.task.teacher = few_.teacher;
    few_.task.student = few_.student;
    few_.task.has_label = false;
  }

  template <bool Alone, class Group, class Source>
  DIVOT_HD void run_group(Group const& group, Source const& teacher, index r) {
    if constexpr (!decltype(group.lanes)::is_empty) {
      if (is_over()) return;
      bool const own = group.temperature != 0;
      auto const words = inverse_words<row>(own ? group.temperature : 1.);
      row const inverse = own ? words.high : task_.student_inverse_temperature;
      row const inverse_low = own ? words.low : task_.student_inverse_low;
      side tail(x_, task_.student_exponentials, task_.student_blocks, task_.classes, inverse, false,
                inverse_low);
      index const named = teacher.named();
      any_ = has_tail_ && look_at(tail, teacher, r);
      if (is_over()) return;
      auto const wide = static_cast<long double>(inverse) + static_cast<long double>(inverse_low);
      if (has_tail_) place_tail(tail, wide, named);

      auto const plan = divergences_of(group);
      loss_row<Student, false, Tangent, Team>(team_, few_.task).run(plan);
      task_.bad = few_.task.bad;
      task_.beyond = few_.task.beyond;
      if (is_over()) return;
      task_.loss = row(task_.loss + few_.task.loss);
      if constexpr (Student) {
        row const slope = has_tail_ ? row(few_.task.student_gradient[named]) : row(0);
        if (task_.want_temperature && !own) {
          bool const moves = any_ && is_finite_number(slope);
          row const moment = moves ? row(slope * distance(tail, named) * inverse) : row(0);
          task_.student_temperature_gradient =
              row(task_.student_temperature_gradient +
                  (few_.task.student_temperature_gradient - moment));
        }
        expand<Alone>(tail, slope, teacher, r);
      }
    }
  }

  /// The tail's softmax. False if it has no class that is there.
  template <class Source>
  DIVOT_HD bool look_at(side& tail, Source const& teacher, index r) {
    bool any = false;
    index const blocks = block_count<Team>(task_.classes);
    team_.blocks(blocks, [&](index b) { tail.look(b); });
    // −inf would send whole blocks the slow way: for once something finite that adds nothing, but
    // not where the maximum is −inf, or so large that less is the same
    T const deep = static_cast<T>(row(600) / tail.inverse_temperature());
    for (index j = 0; j < teacher.named(); ++j) {
      index const k = teacher.class_at(r, j);
      auto const max = static_cast<T>(tail.blocks()[k / block_columns].max);
      T const below = max - deep;
      if (max - below > deep / 2) x_[k] = below;
    }
    team_.blocks(blocks, [&](index b) { tail.exponentiate(b); });
    for (index j = 0; j < teacher.named(); ++j) {
      index const k = teacher.class_at(r, j);
      x_[k] = T(-std::numeric_limits<double>::infinity());
      tail.exponentials()[k] = T(0);
    }
    for (index b = 0; b < blocks; ++b) {
      task_.bad = task_.bad || tail.blocks()[b].bad;
      any = any || is_finite_number(tail.blocks()[b].max);
    }
    if (any && !task_.bad) tail.join();
    return any;
  }

  /// The tail as the last class of the reduced row. What its logit is rounded by goes into the
  /// teacher's, so that ln(p/q) has the digits that a student near the teacher needs.
  DIVOT_HD void place_tail(side const& tail, long double inverse_temperature, index named) {
    if (!any_) {
      few_.teacher[named] = static_cast<T>(log_tail_);
      few_.student[named] = T(-std::numeric_limits<double>::infinity());
      return;
    }
    math::before_library_call();
    // from the sum itself: log Z has been rounded
    long double const log_sum =
        static_cast<long double>(tail.max()) -
        std::log(static_cast<long double>(tail.top())) / inverse_temperature;
    few_.student[named] = static_cast<T>(log_sum);
    long double const rounding =
        (log_sum - static_cast<long double>(few_.student[named])) * inverse_temperature;
    few_.teacher[named] = static_cast<T>(log_tail_ - rounding);
  }

  /// Σ_tail (q_k/q_T)(s_k − s_T): what the derivative in T has beyond that of a fixed s_T.
  DIVOT_HD row distance(side const& tail, index named) const {
    row total(0);
    for (index k = 0; k < task_.classes; ++k) {
      T const e = tail.exponentials()[k];
      if (!(e > T(0))) continue;
      total += row(row(e) * tail.block_scale(k / block_columns)) *
               (row(x_[k]) - row(few_.student[named]));
    }
    return total;
  }

  /// Adds the reduced row's gradient, class by class of the whole row, to the partial one; alone
  /// it is the gradient.
  template <bool Alone, class Source>
  DIVOT_HD void expand(side const& tail, row const& slope, Source const& teacher, index r) {
    T* const g = Alone ? task_.student_gradient : task_.student_partial;
    T* const e = task_.student_exponentials;
    bool const add = !Alone || task_.student_add;
    index const named = teacher.named();
    if constexpr (Tangent) {
      // ∂D/∂q_k = ∂D/∂q_T: q_T is a sum, and so is every class of it
      std::fill(e, e + task_.classes, T(1));
      for (index j = 0; j < named; ++j) e[teacher.class_at(r, j)] = T(0);
    }
    bool const empty = !has_tail_ || (!Tangent && !any_);
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      index const first = b * block_columns, count = block_length<Team>(task_.classes, b);
      if (empty || !is_finite_number(slope)) {
        for (index k = first; k < first + count; ++k) {
          T const before = add ? g[k] : T(0);
          g[k] = !empty && e[k] > T(0) ? T(before + static_cast<T>(slope)) : before;
        }
        return;
      }
      lane const factor = spread<lane>(Tangent ? slope : row(slope * tail.block_scale(b)));
      Team::each(first, count, [=](auto const& place) DIVOT_LAMBDA_INLINE {
        lane const own = place.load(e, 0) * factor;
        place.store(g, add ? lane(own + place.load(g, 0)) : own);
      });
    });
    for (index j = 0; j < named; ++j) {
      g[teacher.class_at(r, j)] += few_.task.student_gradient[j];
    }
  }

  DIVOT_HD void write() {
    T const* const from = task_.student_partial;
    T* const to = task_.student_gradient;
    bool const add = task_.student_add;
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      Team::each(b * block_columns, block_length<Team>(task_.classes, b), [&](auto const& place) {
        lane g = place.load(from, 0);
        if (add) g = g + place.load(to, 0);
        place.store(to, g);
      });
    });
  }

  Team const& team_;
  row_task<Team>& task_;
  reduced_row<Team>& few_;
  T* x_;                   // the student's row, −inf at the named classes
  bool has_tail_ = false;  // classes that are not named
  bool any_ = false;       // of which the student has some
  long double log_tail_ = 0;
};

}  // namespace DIVOT_ABI
}  // namespace divot
