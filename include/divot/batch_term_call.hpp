// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/unpack.hpp>
#include <divot/divergence.hpp>
#include <divot/family/batch_terms.hpp>
#include <divot/loss_call.hpp>
#include <divot/row/residue_target.hpp>

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

// A batch term L brings, where this finds them by their argument:
//
//   check_batch_term(term, options), check_batch_term_rows(term, options, rows, classes)
//   run_batch_term<T>(policy, scaled<L>, options, operands, to_student, to_teacher, take_loss)

/// What a call reads, as sources of rows, and how many classes count at most.
template <class TeacherRows, class StudentRows>
struct term_operands {
  TeacherRows const& teacher;
  operand_kind teacher_kind;
  StudentRows const& student;
  index classes;
};

/// Where a term's gradient goes: a target of rows, and how.
template <class Target>
struct term_place {
  Target target;
  bool add = false;
  double scale = 1;
};

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
  return term_place<strided_target<T, T>>{strided_target<T, T>(residue), add, g.scale};
}
template <class T>
auto residue_place(no_gradient, matrix_ref<T> const&, bool) {
  return term_place<no_target<T>>{};
}

/// One term alone: its gradient goes to where it is wanted.
template <class T, class Declared, execution_policy Policy, class L, class Request, class Operands>
loss_result<Declared> run_batch_term_alone(Policy const& policy, scaled<L> const& term,
                                           Request const& request, batch const& options,
                                           Operands const& on) {
  auto const place = [](auto const& asked) {
    auto const target = make_target<T>(asked);
    term_place<std::remove_const_t<decltype(target)>> to{target};
    take_settings(asked, to.add, to.scale);
    return to;
  };
  double total = 0;
  run_batch_term<T>(policy, term, options, on, place(request.student_target),
                    place(request.teacher_target), [&](index r, double part) {
                      total += part;
                      if (!options.per_row.empty())
                        options.per_row[static_cast<std::size_t>(r)] = part;
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
loss_result<Declared> run_batch_terms_in_sum(Policy const& policy,
                                             std::tuple<Terms...> const& terms,
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
    run_batch_term<T>(policy, term, inner, on,
                      residue_place(request.student_target, to_student, add),
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

template <execution_policy Policy, class L, teacher_like Teacher, teacher_like Student,
          class Request>
auto run_with_batch_terms(Policy const& policy, L const& what, Teacher const& teacher_given,
                          Student const& student_given, Request const& request,
                          batch const& options) {
  decltype(auto) teacher = as_operand(teacher_given);
  decltype(auto) student = as_operand(student_given);
  using teacher_type = std::remove_cvref_t<decltype(teacher)>;
  using student_type = std::remove_cvref_t<decltype(student)>;
  constexpr operand_kind teacher_kind = kind_of<teacher_type>;
  static_assert(
      !has_transforms<student_type> && !has_transforms<teacher_type>,
      "divot: sinkd takes logits as they are, and so does class_transport: softcap, bias, "
      "standardise and mask belong to losses of single rows");
  using declared = typename declared_arithmetic<teacher_type, student_type>::type;
  static_assert(is_real<declared>,
                "divot: sinkd takes numbers, and so does class_transport: scalars of automatic "
                "differentiation have its gradient as a pullback");
  using T = std::conditional_t<teacher_kind == operand_kind::probabilities &&
                                   std::is_same_v<declared, float>,
                               double, declared>;
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                "divot: sinkd and class_transport take float and double");
  using request_type = std::remove_cvref_t<Request>;
  constexpr bool teacher_wanted = is_gradient_target<decltype(request_type::teacher_target)>;
  static_assert(!teacher_wanted || teacher_kind == operand_kind::logits,
                "divot: of sinkd a teacher's gradient exists for logits only");
  static_assert(!wants_diagnostics<request_type>,
                "divot: diagnostics come with losses of single rows, not with sinkd and "
                "class_transport");
  if (request.temperature_target != nullptr || request.parameter_target != nullptr) {
    fail("sinkd and class_transport have no gradients().temperature(…) and .parameters(…)");
  }
  check_policy(policy);
  auto const between = terms_of<true>(what, 1);
  constexpr bool numbers = has_terms_of_numbers<L>;
  static_assert(!needs_teacher_logits<L> || teacher_kind == operand_kind::logits,
                "divot: class_transport takes logits of both sides");
  static_assert(
      !numbers || teacher_kind == operand_kind::logits,
      "divot: absolute_difference compares numbers: the teacher is a bare matrix of them, "
      "as the student is");
  unpack([&](auto const&... term) { (check_batch_term(term.term, options), ...); }, between);
  check_not_null(student.x, "the student");
  using team = row_team<decltype(runs_as(policy)), T>;
  auto const student_rows = make_source<team>(student);
  index const rows = student_rows.rows(), student_cols = student_rows.cols();
  auto const run = [&](auto const& teacher_rows, index teacher_cols, memory_span const& memory,
                       auto const& check_more) {
    index const classes =
        settle_shapes(options, teacher_rows.rows(), teacher_cols, rows, student_cols);
    check_more(classes);
    unpack(
        [&](auto const&... term) {
          (check_batch_term_rows(term.term, options, rows, classes), ...);
        },
        between);
    check_targets(request, rows, student_cols, teacher_cols, operand_span(student.x), memory);
    screen_rows<T>(options, classes, teacher_rows, teacher_kind, student_rows, operand_kind::logits,
                   [&](index row, index bad) {
                     report_bad_row<T>(teacher_rows, teacher_kind, student_rows,
                                       operand_kind::logits, row,
                                       valid_classes_of(options, row, classes), bad, false);
                   });
    check_factors<T>(options, rows, mean_of(options, valid_rows_of(options, rows)));
    term_operands<std::remove_cvref_t<decltype(teacher_rows)>,
                  std::remove_const_t<decltype(student_rows)>> const on{teacher_rows, teacher_kind,
                                                                        student_rows, classes};
    auto const of_rows = terms_of<false>(what, 1);
    constexpr std::size_t row_terms = std::tuple_size_v<std::remove_const_t<decltype(of_rows)>>;
    if constexpr (row_terms == 0 &&
                  std::tuple_size_v<std::remove_const_t<decltype(between)>> == 1) {
      return run_batch_term_alone<T, declared>(runs_as(policy), std::get<0>(between), request,
                                               options, on);
    } else {
      auto const rest = [&] {
        if constexpr (row_terms == 0) {
          return 0. * z_loss{};  // somebody has to write what the terms leave
        } else {
          return unpack(
              [](auto const&... t) { return sum<std::remove_cvref_t<decltype(t)>...>{{t...}}; },
              of_rows);
        }
      }();
      return run_batch_terms_in_sum<T, declared>(
          runs_as(policy), between, request, options, on,
          [&](auto const& with_residue, batch const& inner) {
            return run_checked(policy, rest, teacher_given, student_given, with_residue, inner);
          });
    }
  };
  if constexpr (teacher_kind == operand_kind::labels) {
    if (!(teacher.smoothing >= 0 && teacher.smoothing < 1)) {
      fail("labels: the smoothing is ", teacher.smoothing, "; it must lie in [0, 1)");
    }
    if (!options.labels.empty()) fail("labels are given twice: as the teacher and in the batch");
    using label_type = row_labels<decltype(teacher.y)>;
    label_type const labels{teacher.y};
    return run(label_source<T, label_type>(labels, teacher.smoothing), student_cols, memory_span{},
               [&](index classes) {
                 index const bad = first_bad_label(labels, options, classes);
                 if (bad >= 0) {
                   fail("row ", bad, ": the label is ", labels[bad], "; there are ",
                        valid_classes_of(options, bad, classes), " classes");
                 }
               });
  } else {
    check_not_null(teacher.x, "the teacher");
    auto const teacher_rows = make_source<team>(teacher);
    return run(teacher_rows, teacher_rows.cols(), operand_span(teacher.x), [](index) {});
  }
}

/// value, gradient and value_and_gradient of batch terms, and of sums with them: arguments as for
/// every loss.
template <execution_policy Policy, class L, teacher_like Teacher, teacher_like Student, class Where>
requires has_batch_terms<L>
auto run_call(Policy const& policy, L const& what, Teacher const& teacher, Student const& student,
              Where&& where, batch const& options) {
  using teacher_type = std::remove_cvref_t<decltype(as_operand(teacher))>;
  using student_type = std::remove_cvref_t<decltype(as_operand(student))>;
  // of these nothing further is compiled: what follows would be errors that say less
  if constexpr (is_mixture<teacher_type> || is_top_k_operand<teacher_type>) {
    static_assert(
        never<L>,
        "divot: sinkd takes logits, probabilities, log_probabilities or labels as teacher, "
        "class_transport logits");
    return loss_result<double>{};
  } else if constexpr (kind_of<student_type> != operand_kind::logits) {
    static_assert(
        never<L>,
        "divot: sinkd takes the student's logits, and so does class_transport: their gradients "
        "are these logits'");
    return loss_result<double>{};
  } else {
    return run_with_batch_terms(policy, what, teacher, student,
                                request_of(std::forward<Where>(where)), options);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
