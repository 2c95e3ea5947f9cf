// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/options.hpp>
#include <divot/exec/row_functions.hpp>
#include <divot/exec/row_memory.hpp>
#include <divot/exec/row_observer.hpp>
#include <divot/exec/screen.hpp>
#include <divot/exec/transformed_source.hpp>
#include <divot/family/loss_facts.hpp>
#include <divot/row/top_k_source.hpp>

#include <algorithm>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Everything about a call that is not an operand.
struct loss_settings {
  batch const* options = nullptr;
  index rows = 0, classes = 0;  // classes: the largest number of valid ones
  operand_kind teacher_kind = operand_kind::logits, student_kind = operand_kind::logits;
  double teacher_temperature = 1, student_temperature = 1;
  bool has_teacher_temperature = false;  // teacher: logits with one of their own
  double label_smoothing = 0;
  bool student_add = false, teacher_add = false;
  double student_scale = 1, teacher_scale = 1;
  temperature_gradient* temperature = nullptr;
};

/// What a stretch of rows adds up to. Stretches are fixed by the number of rows alone, so sums do
/// not depend on threads.
template <class Number>
struct row_totals {
  Number loss = Number(0), student_temperature = Number(0), teacher_temperature = Number(0);
  index bad = 0, first_bad = -1;
};

/// A call: its operands and targets, what is known of each row, and how a row of its loss is done.
///
/// T is the arithmetic; the operands' own types are the sources' and targets' business. The loss
/// stands behind functions, one for each kind of team, so that what walks the rows is compiled once
/// for all losses.
template <class T_, bool NeedsTeacher, class Labels, class TeacherSource, class StudentSource,
          class StudentTarget, class TeacherTarget, class Observer = no_observer>
struct loss_context {
  using T = T_;
  /// Losses add up in double; those of other scalars in themselves, derivatives and all.
  using Number = std::conditional_t<is_real<T>, double, T>;
  using totals = row_totals<Number>;
  static constexpr bool student_wanted = StudentTarget::wanted;
  static constexpr bool teacher_wanted = TeacherTarget::wanted;
  static constexpr bool observed = Observer::wanted;
  static constexpr bool reads_teacher = NeedsTeacher || observed;
  /// The student is given as probabilities: its gradient is the tangent one, w/q − Σw.
  static constexpr bool tangent = is_log_source<StudentSource>;
  /// Rows are evaluated on fewer classes: those a top-k teacher names, and one for all others.
  static constexpr bool reduced = is_bucket_source<TeacherSource> && NeedsTeacher;
  /// A mixture's rows are log-probabilities, which never go across lanes.
  static constexpr bool mixed = requires { TeacherSource::spare_rows; };

  loss_facts const& facts;
  loss_settings const& set;
  Labels const& labels;
  TeacherSource const& teacher;
  StudentSource const& student;
  StudentTarget const& student_target;
  TeacherTarget const& teacher_target;
  Observer const& observer;
  index valid_rows = 0;
  double mean = 1;  // 1/divisor of the mean
  row_functions<T, loss_context> functions = {};

  /// Does row r, or the pack of rows that begins with it.
  template <class Team>
  void run_row(Team const& team, row_task<Team>& task, index r) const {
    functions(*this, team, task, r);
  }

  /// Counts the valid rows and settles the divisor.
  void prepare() {
    valid_rows = valid_rows_of(*set.options, set.rows);
    mean = mean_of(*set.options, valid_rows);
  }

  /// The teacher where its rows are read: what nobody looks at may hold anything.
  auto const& teacher_that_counts() const {
    if constexpr (reads_teacher) {
      return teacher;
    } else {
      static constexpr no_source<T> none{};
      return none;
    }
  }
  bool is_valid(index r) const { return divot::is_valid(*set.options, r); }
  index classes_of(index r) const { return valid_classes_of(*set.options, r, set.classes); }
  double teacher_temperature(index r) const {
    return temperature_of(*set.options, r, set.teacher_temperature);
  }
  double student_temperature(index r) const {
    return temperature_of(*set.options, r, set.student_temperature);
  }
  /// What the student's logits are divided by: 1 where it is given as log-probabilities.
  double softmax_temperature(index r) const {
    return set.student_kind == operand_kind::logits ? student_temperature(r) : 1;
  }
  double weight_of(index r) const { return divot::weight_of(*set.options, r); }
  /// What the gradient of a row's loss is multiplied by.
  double gradient_factor(index r) const { return divot::gradient_factor(*set.options, r, mean); }

  /// No mask, weights or upstream gradients.
  bool rows_are_alike() const {
    batch const& options = *set.options;
    return options.mask.empty() && options.weights.empty() && options.upstream.empty();
  }

  /// All that a row's loss does is to add to the sum.
  bool only_adds() const { return rows_are_alike() && set.options->per_row.empty(); }

  memory_needs needs(bool across) const {
    memory_needs n;
    constexpr bool lanes = reads_teacher;
    n.teacher = lanes;
    n.student_gradient = student_wanted || (facts.has_function && !teacher_wanted);
    n.teacher_stays = tangent;
    n.teacher_gradient = teacher_wanted;
    n.partial = facts.adds_up;
    n.teacher_panel = lanes && (across || teacher.direct(0) == nullptr);
    n.student_panel = across || student.direct(0) == nullptr;
    // gradients that are pulled back wait for it in scratch
    n.student_gradient_panel =
        student_wanted && (across || is_transformed<StudentSource> ||
                           student_target.direct(0) == nullptr || observer.wants_log_ratio());
    n.teacher_gradient_panel = teacher_wanted && (across || is_transformed<TeacherSource> ||
                                                  teacher_target.direct(0) == nullptr);
    n.diagnostics = observed;
    bool const panels = set.options->valid_classes_per_row.empty() &&
                        ((lanes && teacher.by_panels()) || student.by_panels() ||
                         student_target.by_panels() || teacher_target.by_panels());
    n.panel = panels ? panel_rows : 1;
    if constexpr (reduced) {
      n.teacher_panel = false;
      n.partial = true;
      n.reduced = teacher.named() + 1;
    }
    n.spare = std::max(spare_rows<TeacherSource>(n.panel, teacher_wanted),
                       spare_rows<StudentSource>(n.panel, student_wanted));
    return n;
  }

  /// Fills the parts of a task that are the row's own.
  template <class Team>
  void describe(row_task<Team>& task, index r, double scale) const {
    using row = typename Team::row;
    task.classes = classes_of(r);
    task.teacher_normalised = set.teacher_kind != operand_kind::logits;
    task.student_normalised = set.student_kind != operand_kind::logits;
    double const t = teacher_temperature(r), s = student_temperature(r);
    if (!task.teacher_normalised) {
      auto const inverse = inverse_words<row>(t);
      task.teacher_inverse_temperature = inverse.high;
      task.teacher_inverse_low = inverse.low;
    }
    if (!task.student_normalised) {
      auto const inverse = inverse_words<row>(s);
      task.student_inverse_temperature = inverse.high;
      task.student_inverse_low = inverse.low;
    }
    task.label_smoothing = set.label_smoothing;
    task.has_label = !labels.empty();
    task.student_scale = constant<row>(scale * set.student_scale);
    task.teacher_scale = constant<row>(scale * set.teacher_scale);
    task.want_temperature = set.temperature != nullptr;
    task.teacher_tolerance = teacher.tolerance();
    task.student_tolerance = student.tolerance();
  }

  void skip(index r) const {
    observer.skip(r);
    if (!set.student_add) student_target.clear(r, 0);
    if (!set.teacher_add) teacher_target.clear(r, 0);
    if (!set.options->per_row.empty()) set.options->per_row[static_cast<std::size_t>(r)] = 0;
  }
  void add_row(totals& sums, index r, Number const& loss, Number const& student_t,
               Number const& teacher_t) const {
    // a row of weight 0 adds nothing, even where its loss is infinite
    Number const weighted = weight_of(r) == 0 ? Number(0) : Number(Number(weight_of(r)) * loss);
    sums.loss += weighted;
    sums.student_temperature += student_t;
    sums.teacher_temperature += teacher_t;
    if constexpr (is_real<T>) {
      if (!set.options->per_row.empty()) {
        set.options->per_row[static_cast<std::size_t>(r)] = weighted;
      }
    }
  }
  static void add_bad(totals& sums, index r) {
    if (sums.first_bad < 0) sums.first_bad = r;
    ++sums.bad;
  }
};

/// Whether a policy may take a call's rows across lanes.
template <class Policy, class Context>
inline constexpr bool has_short_rows = has_packs<Policy, typename Context::T> &&
                                       !Context::reduced && !Context::mixed && !Context::observed;

}  // namespace DIVOT_ABI
}  // namespace divot
