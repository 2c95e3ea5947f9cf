// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/batch_term_call.hpp>
#include <divot/exec/sinkd_rows.hpp>
#include <divot/sinkd_checks.hpp>
#include <divot/sinkd_limit.hpp>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

template <class L>
concept is_sinkd = requires(L const& term) {
  sinkd_of(term);
};

template <is_sinkd L>
void check_batch_term(L const& term, batch const& options) {
  check_sinkd(sinkd_of(term), options, compares_numbers<decltype(ground_of(term))>);
}
template <is_sinkd L>
void check_batch_term_rows(L const& term, batch const& options, index rows, index) {
  check_sinkd_rows(sinkd_of(term), options, rows);
}

/// Throws bad_value for a row of numbers known to be bad: −inf, too, is no number to compare.
template <class T>
void report_bad_number(char const* who, matrix_ref<T> const& rows, index row, index classes,
                       index count) {
  T const* const x = rows.data + row * rows.row_stride;
  index const column = std::find_if(x, x + classes, [](T v) { return !std::isfinite(v); }) - x;
  message text;
  text << who << ", row " << row << ", column " << column << ": " << static_cast<double>(x[column])
       << "; numbers to compare must be finite; nothing was written";
  throw bad_value(text.text(), row, column, static_cast<double>(x[column]), count);
}

/// Works a term of sinkd out. take_loss(row, part) gets every row's part of the loss, 0 of a masked
/// one; it and the targets hear nothing before the whole problem is known to be good.
template <class T, execution_policy Policy, class L, class Operands, class StudentTarget,
          class TeacherTarget, class TakeLoss>
requires is_sinkd<L>
void run_batch_term(Policy const& policy, scaled<L> const& term, batch const& options,
                    Operands const& on, term_place<StudentTarget> const& to_student,
                    term_place<TeacherTarget> const& to_teacher, TakeLoss const& take_loss) {
  sinkd const& what = sinkd_of(term.term);
  auto const ground = ground_of(term.term);
  using ground_type = std::remove_const_t<decltype(ground)>;
  index const rows = on.student.rows(), valid = valid_rows_of(options, rows);
  sinkd_rows<T, Policy, ground_type> solver(policy, what, ground, options, rows, on.classes,
                                            StudentTarget::wanted, TeacherTarget::wanted);
  // a bad row is in everybody's problem
  auto const read = [&](char const* who, auto const& source, operand_kind kind,
                        matrix_ref<T> const& to) {
    auto const [count, row] = solver.read(source, kind != operand_kind::logits, to);
    if (count == 0) return;
    index const classes = valid_classes_of(options, row, on.classes);
    if constexpr (compares_numbers<ground_type>) report_bad_number(who, to, row, classes, count);
    report_bad_row<T>(on.teacher, on.teacher_kind, on.student, operand_kind::logits, row, classes,
                      count, false);
  };
  read("teacher", on.teacher, on.teacher_kind, solver.teacher());
  read("student", on.student, operand_kind::logits, solver.student());

  solver.solve(mean_of(options, valid), [&](auto const& sweeps, sinkd_task const& task) {
    if (what.sweeps > 0) {
      sweeps.solve(what, task);
    } else {
      solve_sinkd_to_the_limit(policy, what, task);
    }
  });
  for (index r = 0, i = 0; r < rows; ++r) {
    bool const counts = is_valid(options, r);
    take_loss(r, counts ? weight_of(options, r) * (term.weight * solver.loss(i)) : 0.);
    i += counts;
  }
  auto const write = [&](bool of_teacher, auto const& to) {
    solver.write(of_teacher, to.target, to.add, to.scale * term.weight);
  };
  if constexpr (StudentTarget::wanted) write(false, to_student);
  if constexpr (TeacherTarget::wanted) write(true, to_teacher);
}

}  // namespace DIVOT_ABI
}  // namespace divot
