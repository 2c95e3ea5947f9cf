// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/split_plan.hpp>
#include <divot/row/loss_row.hpp>

#include <algorithm>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// The row of K + 1 classes that stands for a long one: its task, and where its operands go.
template <class Few>
struct reduced_row {
  row_task<Few> task;
  typename Few::scalar* teacher;
  typename Few::scalar* student;
};

/// Computes one row of a loss whose teacher gives the probabilities of K classes and that of all
/// others together.
///
///   s_T = T log Σ_tail e^(s_k/T)      ∂D/∂s_k = (q_k/q_T)·∂D/∂s_T  for k in the tail
///
/// With s_T as the last of K + 1 logits the student's mass in the tail is that class's probability,
/// so the row function does the rest; q_k/q_T is the softmax over the tail alone. Labels and z-loss
/// look at all classes: they are a loss of their own, over the whole row.
///
/// Team walks the whole row, Few the reduced one. Needs the task's partial gradient.
template <bool Student, bool Tangent, class Team, class Few>
class bucket_row {
 public:
  using T = typename Team::scalar;
  using row = typename Team::row;
  using lane = typename Team::lane;
  using W = typename Few::scalar;

  bucket_row(Team const& team, row_task<Team>& task, reduced_row<Few>& few)
      : team_(team), task_(task), few_(few), x_(task.teacher_exponentials) {}

  template <class Plan, class Source>
  void run(Plan const& plan, Source const& teacher, index r) {
    task_.loss = row(0);
    task_.student_temperature_gradient = task_.teacher_temperature_gradient = row(0);
    task_.bad = task_.beyond = false;
    start(plan);
    if (task_.bad || task_.beyond) return;
    gather(teacher, r);
    std::apply([&](auto const&... group) { (..., run_group(group, teacher, r)); }, plan.groups);
    if constexpr (Student) {
      if (!task_.bad) write();
    }
  }

 private:
  /// What is no divergence, or nothing.
  template <class Plan>
  void start(Plan const& plan) {
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
    } else if constexpr (Student) {
      std::fill(task_.student_partial, task_.student_partial + task_.classes, T(0));
    }
  }

  /// The named classes into the reduced row; in a copy of the student's row the tail alone is left.
  template <class Source>
  void gather(Source const& teacher, index r) {
    index const named = teacher.named();
    std::copy(task_.student, task_.student + task_.classes, x_);
    for (index j = 0; j < named; ++j) {
      T& x = x_[teacher.class_at(r, j)];
      few_.teacher[j] = static_cast<W>(teacher.log_p(r, j));
      few_.student[j] = static_cast<W>(x);
      x = T(-std::numeric_limits<double>::infinity());
    }
    has_tail_ = named < task_.classes;
    if (has_tail_) few_.teacher[named] = static_cast<W>(teacher.log_tail(r));
    few_.task.classes = named + (has_tail_ ? 1 : 0);
    few_.task.teacher = few_.teacher;
    few_.task.student = few_.student;
    few_.task.has_label = false;
  }

  template <class Group, class Source>
  void run_group(Group const& group, Source const& teacher, index r) {
    if constexpr (!decltype(group.lanes)::is_empty) {
      if (task_.bad) return;
      bool const own = group.temperature != 0;
      auto const words = inverse_words<row>(own ? group.temperature : 1.);
      row const inverse = own ? words.high : task_.student_inverse_temperature;
      row const inverse_low = own ? words.low : task_.student_inverse_low;
      softmax_side<Team> tail(x_, task_.student_exponentials, task_.student_blocks, task_.classes,
                              inverse, false, inverse_low);
      W const temperature = W(1) / (W(inverse) + W(inverse_low));
      index const named = teacher.named();
      W log_sum = -std::numeric_limits<W>::infinity();
      bool const any = has_tail_ && look_at(tail);
      if (task_.bad) return;
      // from the sum itself: log Z has been rounded to the row's type
      if (any) log_sum = W(tail.max()) - temperature * math::log(W(tail.top()));
      if (has_tail_) few_.student[named] = log_sum;

      math::before_library_call();
      auto const plan = divergences_of(group);
      loss_row<Student, false, Tangent, Few>(Few(), few_.task).run(plan);
      if (few_.task.bad) {
        task_.bad = true;
        return;
      }
      task_.loss = row(task_.loss + row(few_.task.loss));
      if constexpr (Student) {
        W const slope = has_tail_ ? few_.task.student_gradient[named] : W(0);
        if (task_.want_temperature && !own) {
          W const moment = any ? slope * distance(tail, log_sum) / temperature : W(0);
          task_.student_temperature_gradient =
              row(task_.student_temperature_gradient +
                  row(few_.task.student_temperature_gradient - moment));
        }
        expand(tail, any, slope, teacher, r);
      }
    }
  }

  /// The tail's softmax. False if it has no class that is there.
  bool look_at(softmax_side<Team>& tail) {
    bool any = false;
    index const blocks = block_count<Team>(task_.classes);
    team_.blocks(blocks, [&](index b) {
      tail.look(b);
      tail.exponentiate(b);
    });
    for (index b = 0; b < blocks; ++b) {
      task_.bad = task_.bad || tail.blocks()[b].bad;
      any = any || is_finite_number(tail.blocks()[b].max);
    }
    if (any && !task_.bad) tail.join();
    return any;
  }

  /// Σ_tail (q_k/q_T)(s_k − s_T): what the derivative in T has beyond that of fixed s_T.
  W distance(softmax_side<Team> const& tail, W const& log_sum) const {
    W total(0);
    for (index k = 0; k < task_.classes; ++k) {
      T const e = tail.exponentials()[k];
      if (!(e > T(0))) continue;
      total += W(e) * W(tail.block_scale(k / block_columns)) * (W(x_[k]) - log_sum);
    }
    return total;
  }

  /// Adds the reduced row's gradient, class by class of the whole row, to the partial one.
  template <class Source>
  void expand(softmax_side<Team> const& tail, bool any, W const& slope, Source const& teacher,
              index r) {
    T* const g = task_.student_partial;
    T* const e = task_.student_exponentials;
    index const named = teacher.named();
    if constexpr (Tangent) {
      // ∂D/∂q_k = ∂D/∂q_T: q_T is a sum, and so is every class of it
      std::fill(e, e + task_.classes, T(has_tail_ ? 1 : 0));
      for (index j = 0; j < named; ++j) e[teacher.class_at(r, j)] = T(0);
    }
    for (index j = 0; j < named; ++j) {
      g[teacher.class_at(r, j)] += static_cast<T>(few_.task.student_gradient[j]);
    }
    if (!any && !Tangent) return;
    bool const finite = is_finite_number(slope);
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      index const first = b * block_columns, count = block_length<Team>(task_.classes, b);
      if (!finite) {
        for (index k = first; k < first + count; ++k) {
          if (e[k] > T(0)) g[k] += static_cast<T>(slope);
        }
        return;
      }
      W const scale = Tangent ? slope : W(slope * W(tail.block_scale(b)));
      lane const factor = lane(static_cast<T>(scale));
      Team::each(first, count, [&](auto const& place) {
        place.store(g, math::fma(place.load(e, 0), factor, place.load(g, 0)));
      });
    });
  }

  void write() {
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
  reduced_row<Few>& few_;
  T* x_;  // the student's row, −inf at the named classes
  bool has_tail_ = false;
};

}  // namespace DIVOT_ABI
}  // namespace divot
