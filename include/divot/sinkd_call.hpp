// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/unpack.hpp>
#include <divot/exec/sinkd_rows.hpp>
#include <divot/family/batch_terms.hpp>
#include <divot/loss_call.hpp>
#include <divot/row/residue_target.hpp>
#include <divot/sinkd_limit.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// What a call reads, as sources of rows, and how many classes count at most.
template <class TeacherRows, class StudentRows>
struct sinkd_operands {
  TeacherRows const& teacher;
  operand_kind teacher_kind;
  StudentRows const& student;
  index classes;
};

/// Where a term's gradient goes: a target of rows, and how.
template <class Target>
struct sinkd_place {
  Target target;
  bool add = false;
  double scale = 1;
};

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

/// Works a term out. take_loss(row, part) gets every row's part of the loss, 0 of a masked one; it
/// and the targets hear nothing before the whole problem is known to be good.
template <class T, execution_policy Policy, class L, class Operands, class StudentTarget,
          class TeacherTarget, class TakeLoss>
void run_sinkd(Policy const& policy, scaled<L> const& term, batch const& options,
               Operands const& on, sinkd_place<StudentTarget> const& to_student,
               sinkd_place<TeacherTarget> const& to_teacher, TakeLoss const& take_loss) {
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

/// A gradient to which batch terms have left a residue.
template <class Storage, class T>
struct gradient_with_residue : gradient_target<Storage> {
  matrix_ref<T> residue;
};
template <class S, class T>
inline constexpr bool is_gradient_target<gradient_with_residue<S, T>> = true;

/// How the rows' engine writes to it.
template <class T, class S>
auto make_target(gradient_with_residue<S, T> const& g) {
  auto const& r = g.residue;
  return residue_target<T, S>(g.matrix, {r.data, r.rows, r.cols, r.row_stride, r.col_stride});
}

template <class T, class S>
gradient_with_residue<S, T> with_residue(gradient_target<S> const& g,
                                         matrix_ref<T> const& residue) {
  return {g, residue};
}
template <class T>
no_gradient with_residue(no_gradient, matrix_ref<T> const&) {
  return {};
}

/// The place of a residue: nothing, the first term's gradient, or one more added to it.
template <class T, class S>
auto residue_place(gradient_target<S> const& g, matrix_ref<T> const& residue, bool add) {
  return sinkd_place<strided_target<T, T>>{strided_target<T, T>(residue), add, g.scale};
}
template <class T>
auto residue_place(no_gradient, matrix_ref<T> const&, bool) {
  return sinkd_place<no_target<T>>{};
}

/// One term alone: its gradient goes to where it is wanted.
template <class T, class Declared, execution_policy Policy, class L, class Request, class Operands>
loss_result<Declared> run_sinkd_alone(Policy const& policy, scaled<L> const& term,
                                      Request const& request, batch const& options,
                                      Operands const& on) {
  auto const place = [](auto const& asked) {
    auto const target = make_target<T>(asked);
    sinkd_place<std::remove_const_t<decltype(target)>> to{target};
    take_settings(asked, to.add, to.scale);
    return to;
  };
  double total = 0;
  run_sinkd<T>(policy, term, options, on, place(request.student_target),
               place(request.teacher_target), [&](index r, double part) {
                 total += part;
                 if (!options.per_row.empty()) options.per_row[static_cast<std::size_t>(r)] = part;
               });
  index const valid = valid_rows_of(options, on.student.rows());
  loss_result<Declared> result;
  result.value = static_cast<Declared>(mean_of(options, valid) * total);
  result.valid_rows = valid;
  return result;
}

/// A sum with batch terms. These come first, while the logits are still there, and leave every
/// row's loss and gradients; `run_rows(request, options)` is the call of all other terms, and adds
/// the residue to what it writes.
template <class T, class Declared, execution_policy Policy, class... Terms, class Request,
          class Operands, class RunRows>
loss_result<Declared> run_sinkd_in_sum(Policy const& policy, std::tuple<Terms...> const& terms,
                                       Request const& request, batch const& options,
                                       Operands const& on, RunRows const& run_rows) {
  using request_type = std::remove_cvref_t<Request>;
  constexpr bool student_wanted = is_gradient_target<decltype(request_type::student_target)>;
  constexpr bool teacher_wanted = is_gradient_target<decltype(request_type::teacher_target)>;
  index const rows = on.student.rows(), classes = on.classes;
  double* losses = nullptr;
  T *student = nullptr, *teacher = nullptr;
  scratch memory;
  for (bool const counting : {true, false}) {
    losses = memory.take<double>(rows);
    student = memory.take<T>(student_wanted ? rows * classes : 0);
    teacher = memory.take<T>(teacher_wanted ? rows * classes : 0);
    if (counting) memory.provide(options.workspace);
  }
  // what is left stays in the caller's workspace while the terms use the one inside it
  batch inner = options;
  inner.workspace = options.workspace == nullptr ? nullptr : &options.workspace->inner();
  std::fill_n(losses, rows, 0.);
  matrix_ref<T> const to_student(student, rows, classes), to_teacher(teacher, rows, classes);
  bool add = false;
  auto const run_term = [&](auto const& term) {
    run_sinkd<T>(policy, term, inner, on, residue_place(request.student_target, to_student, add),
                 residue_place(request.teacher_target, to_teacher, add),
                 [&](index r, double part) { losses[r] += part; });
    add = true;
  };
  unpack([&](auto const&... term) { (run_term(term), ...); }, terms);

  auto const student_target = with_residue(request.student_target, to_student);
  auto const teacher_target = with_residue(request.teacher_target, to_teacher);
  auto result =
      run_rows(gradient_request<std::remove_const_t<decltype(student_target)>,
                                std::remove_const_t<decltype(teacher_target)>>{student_target,
                                                                               teacher_target},
               inner);
  double total = 0;
  for (index r = 0; r < rows; ++r) {
    total += losses[r];
    if (!options.per_row.empty()) options.per_row[static_cast<std::size_t>(r)] += losses[r];
  }
  double const mean = mean_of(options, result.valid_rows);
  result.value = static_cast<Declared>(static_cast<double>(result.value) + mean * total);
  return result;
}

}  // namespace DIVOT_ABI
}  // namespace divot
