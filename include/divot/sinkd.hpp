// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/unpack.hpp>
#include <divot/divergence.hpp>
#include <divot/sinkd_call.hpp>
#include <divot/sinkd_checks.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

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
  static_assert(!has_transforms<student_type> && !has_transforms<teacher_type>,
                "divot: sinkd takes logits as they are: softcap, bias, standardise and mask belong "
                "to losses of single rows");
  using declared = typename declared_arithmetic<teacher_type, student_type>::type;
  static_assert(is_real<declared>,
                "divot: sinkd takes numbers: scalars of automatic differentiation have its "
                "gradient as a pullback");
  using T = std::conditional_t<teacher_kind == operand_kind::probabilities &&
                                   std::is_same_v<declared, float>,
                               double, declared>;
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                "divot: sinkd works in float and double");
  using request_type = std::remove_cvref_t<Request>;
  constexpr bool teacher_wanted = is_gradient_target<decltype(request_type::teacher_target)>;
  static_assert(!teacher_wanted || teacher_kind == operand_kind::logits,
                "divot: of sinkd a teacher's gradient exists for logits only");
  static_assert(!wants_diagnostics<request_type>,
                "divot: diagnostics come with losses of single rows, not with sinkd");
  if (request.temperature_target != nullptr || request.parameter_target != nullptr) {
    fail("sinkd has no gradients().temperature(…) and .parameters(…)");
  }
  check_policy(policy);
  auto const between = terms_of<true>(what, 1);
  constexpr bool numbers = has_terms_of_numbers<L>;
  static_assert(
      !numbers || teacher_kind == operand_kind::logits,
      "divot: absolute_difference compares numbers: the teacher is a bare matrix of them, "
      "as the student is");
  unpack(
      [&](auto const&... term) {
        (check_sinkd(sinkd_of(term.term), options,
                     compares_numbers<decltype(ground_of(term.term))>),
         ...);
      },
      between);
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
        [&](auto const&... term) { (check_sinkd_rows(sinkd_of(term.term), options, rows), ...); },
        between);
    check_targets(request, rows, student_cols, teacher_cols, operand_span(student.x), memory);
    screen_rows<T>(options, classes, teacher_rows, teacher_kind, student_rows, operand_kind::logits,
                   [&](index row, index bad) {
                     report_bad_row<T>(teacher_rows, teacher_kind, student_rows,
                                       operand_kind::logits, row,
                                       valid_classes_of(options, row, classes), bad, false);
                   });
    check_factors<T>(options, rows, mean_of(options, valid_rows_of(options, rows)));
    sinkd_operands<std::remove_cvref_t<decltype(teacher_rows)>,
                   std::remove_const_t<decltype(student_rows)>> const on{teacher_rows, teacher_kind,
                                                                         student_rows, classes};
    auto const of_rows = terms_of<false>(what, 1);
    constexpr std::size_t row_terms = std::tuple_size_v<std::remove_const_t<decltype(of_rows)>>;
    if constexpr (row_terms == 0 &&
                  std::tuple_size_v<std::remove_const_t<decltype(between)>> == 1) {
      return run_sinkd_alone<T, declared>(runs_as(policy), std::get<0>(between), request, options,
                                          on);
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
      return run_sinkd_in_sum<T, declared>(runs_as(policy), between, request, options, on,
                                           [&](auto const& with_residue, batch const& inner) {
                                             return run_checked(policy, rest, teacher_given,
                                                                student_given, with_residue, inner);
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

/// value, gradient and value_and_gradient of sinkd, and of sums with it among their terms:
/// arguments as for every loss.
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
        "divot: sinkd takes logits, probabilities, log_probabilities or labels as teacher");
    return loss_result<double>{};
  } else if constexpr (kind_of<student_type> != operand_kind::logits) {
    static_assert(never<L>, "divot: sinkd takes the student's logits: its gradient is theirs");
    return loss_result<double>{};
  } else {
    return run_with_batch_terms(policy, what, teacher, student,
                                request_of(std::forward<Where>(where)), options);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
