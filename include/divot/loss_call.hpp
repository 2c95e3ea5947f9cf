// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/eigen/diagnostics_checks.hpp>
#include <divot/eigen/top_k_checks.hpp>
#include <divot/exec/loss_rows.hpp>
#include <divot/exec/parameter_rows.hpp>
#include <divot/exec/run_row.hpp>
#include <divot/exec/screen_top_k.hpp>
#include <divot/family/divergence/alpha_beta.hpp>
#include <divot/loss_operands.hpp>

#include <array>
#include <limits>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// Derivatives with respect to a loss's own parameters: none.
struct no_parameters {
  static constexpr bool wanted = false;
};
/// Those of a loss that is one α-β term, for α and β.
struct alpha_beta_term {
  static constexpr bool wanted = true;
  bound_alpha_beta bound;
  double weight, temperature;
  bool t_squared;

  template <class Context, execution_policy Policy>
  std::array<double, 2> gradient(Context const& call, Policy const& policy) const {
    auto parameters = parameter_gradient(call, policy, bound.alpha(), bound.beta(), weight,
                                         temperature, t_squared);
    if (bound.is_reversed()) std::swap(parameters[0], parameters[1]);
    return parameters;
  }
};
template <class T, class Plan>
no_parameters parameters_of(Plan const&) {
  return {};
}
template <class T, class Plan>
requires(is_real<T>&&
             std::is_same_v<Plan, loss_plan<false, loss_group<bound_sum<bound_alpha_beta>, false>>>)
    alpha_beta_term parameters_of(Plan const& plan) {
  auto const& group = std::get<0>(plan.groups);
  return {std::get<0>(group.lanes.terms).second, group.factor, group.temperature, group.t_squared};
}

inline void check_temperatures_named(loss_facts const& loss, operand_kind teacher,
                                     bool teacher_mixed, operand_kind student) {
  auto const normalised = [](operand_kind k) {
    return k == operand_kind::log_probabilities || k == operand_kind::probabilities;
  };
  if (loss.tempers && teacher_mixed) {
    fail(
        "at(T, …): the temperatures of a mixture are its teachers' own: "
        "mixture(logits(t1, T), logits(t2, T), weights) and logits(student, T)");
  }
  if (loss.tempers && (normalised(teacher) || normalised(student))) {
    fail(
        "at(T, …) needs logits: probabilities have their temperature already; pass logits, or "
        "log-probabilities as logits(x, T)");
  }
  if (loss.z_weight != 0 && normalised(student)) {
    fail("z_loss needs the student's logits: the log-partition of probabilities is 0");
  }
}

/// How many classes the operands have, and where they lie.
struct operand_shapes {
  index teacher_cols = 0;
  memory_span teacher, student;
};

/// A call that has its loss: shape checks, the run, the result. `set` is the call's own.
template <class Declared, class Context, class Parameters, execution_policy Policy, class Request>
loss_result<Declared> run_bound(Policy const& policy, Context& call, Parameters const& parameters,
                                loss_settings& set, Request const& request,
                                operand_shapes const& shapes) {
  using T = typename Context::T;
  batch const& options = *set.options;
  index const rows = call.student.rows(), student_cols = call.student.cols();
  set.rows = rows;
  set.classes =
      settle_shapes(options, call.teacher.rows(), shapes.teacher_cols, rows, student_cols);
  check_labels(call.facts, call.labels, set.label_smoothing, options, rows, set.classes);
  check_top_k(call.teacher, options, rows, set.classes);
  check_targets(request, rows, student_cols, shapes.teacher_cols, shapes.student, shapes.teacher);
  check_source(call.teacher, options, set.classes, "the teacher");
  check_source(call.student, options, set.classes, "the student");
  if constexpr (wants_diagnostics<Request>) {
    static_assert(is_real<T>, "divot: diagnostics are computed for built-in number types only");
    check_diagnostics(request, set.student_kind,
                      is_bucket_source<std::remove_cvref_t<decltype(call.teacher)>>, rows,
                      student_cols, shapes.student, shapes.teacher);
  }
  take_settings(request.student_target, set.student_add, set.student_scale);
  take_settings(request.teacher_target, set.teacher_add, set.teacher_scale);
  if (set.temperature != nullptr && !is_gradient_target<decltype(request.student_target)>) {
    fail("gradients().temperature(…) needs the student's gradient: add .student(…)");
  }
  if (!Parameters::wanted && request.parameter_target != nullptr) {
    fail("gradients().parameters(…): the loss must be one alpha_beta term");
  }

  call.prepare();
  if constexpr (is_real<T>) check_factors<T>(options, rows, call.mean);
  std::array<double, 2> slopes{};
  if constexpr (Parameters::wanted) {
    if (request.parameter_target != nullptr) slopes = parameters.gradient(call, policy);
  }
  auto const totals = run_loss(call, policy);
  if (totals.bad > 0) {
    report_bad_row<T>(call.teacher_that_counts(), set.teacher_kind, call.student, set.student_kind,
                      totals.first_bad, call.classes_of(totals.first_bad), totals.bad, true);
  }
  if constexpr (is_real<T>) {
    if (set.temperature != nullptr) {
      *set.temperature = {totals.student_temperature, totals.teacher_temperature};
      // it comes out of the teacher's gradient, which nobody asked for
      if (!Context::teacher_wanted && set.has_teacher_temperature && call.facts.uses_wrappers) {
        set.temperature->teacher = std::numeric_limits<double>::quiet_NaN();
      }
    }
  }
  if (request.parameter_target != nullptr) *request.parameter_target = slopes;
  if constexpr (Context::observed) call.observer.finish(call.valid_rows);
  using Number = typename Context::Number;
  loss_result<Declared> result;
  result.value = static_cast<Declared>(Number(Number(call.mean) * totals.loss));
  result.valid_rows = call.valid_rows;
  return result;
}

/// The part of a call in which every operand is a source of rows: the loss is bound to them.
template <class T, class Declared, class Plan, execution_policy Policy, class Request, class Labels,
          class TeacherRows, class StudentRows>
loss_result<Declared> run_sources(Policy const& policy, Plan const& plan, loss_settings set,
                                  Request const& request, Labels const& labels,
                                  TeacherRows const& teacher_rows, index teacher_cols,
                                  memory_span const& teacher_memory,
                                  StudentRows const& student_rows,
                                  memory_span const& student_memory) {
  auto const student_to = make_target<T>(request.student_target);
  auto const teacher_to = make_target<T>(request.teacher_target);
  auto const observer = make_observer<T>(request.diagnostics_to, student_rows.rows());
  loss_facts const facts = plan.facts();
  loss_context<T, Plan::needs_teacher, Labels, TeacherRows, StudentRows,
               std::remove_const_t<decltype(student_to)>, std::remove_const_t<decltype(teacher_to)>,
               std::remove_const_t<decltype(observer)>>
      call{facts, set, labels, teacher_rows, student_rows, student_to, teacher_to, observer};
  set_loss<Policy>(call, plan);
  return run_bound<Declared>(policy, call, parameters_of<T>(plan), set, request,
                             {teacher_cols, teacher_memory, student_memory});
}

template <execution_policy Policy, loss L, teacher_like Teacher, teacher_like Student,
          class Request>
auto run_checked(Policy const& policy, L const& what, Teacher const& teacher_given,
                 Student const& student_given, Request const& request, batch const& options) {
  decltype(auto) teacher = as_operand(teacher_given);
  decltype(auto) student = as_operand(student_given);
  using teacher_type = std::remove_cvref_t<decltype(teacher)>;
  using student_type = std::remove_cvref_t<decltype(student)>;
  static_assert(!is_mixture<student_type>,
                "divot: a mixture is a teacher: the order is (policy, what, teacher, student)");
  static_assert(!is_label_operand<student_type>,
                "divot: labels are a teacher: the order is (policy, what, teacher, student)");
  static_assert(!is_top_k_operand<student_type>,
                "divot: top_k is a teacher: the order is (policy, what, teacher, student)");
  constexpr operand_kind teacher_kind = kind_of<teacher_type>;
  constexpr operand_kind student_kind = kind_of<student_type>;

  using declared = typename declared_arithmetic<teacher_type, student_type>::type;
  constexpr bool plain = teacher_kind == operand_kind::probabilities ||
                         teacher_kind == operand_kind::top_k ||
                         student_kind == operand_kind::probabilities;
  constexpr bool rounded = plain || moves_values<teacher_type> || moves_values<student_type>;
  using T = std::conditional_t<rounded && std::is_same_v<declared, float>, double, declared>;
  using team = row_team<decltype(runs_as(policy)), T>;
  static_assert(is_real<T> || std::is_same_v<Policy, seq_policy>,
                "divot: this scalar type runs on divot::seq only: pass it as the policy");
  static_assert(is_real<T> || !plain,
                "divot: probabilities and top_k of this scalar type are not supported: pass "
                "logits");

  check_policy(policy);
  auto const plan = make_plan(what);
  constexpr bool want_teacher =
      !std::is_same_v<std::remove_cvref_t<decltype(request.teacher_target)>, no_gradient>;
  static_assert(!want_teacher || teacher_kind == operand_kind::logits ||
                    teacher_kind == operand_kind::log_probabilities,
                "divot: a teacher's gradient exists for logits and log_probabilities only");

  static_assert(
      !want_teacher || !is_mixture<teacher_type>,
      "divot: a mixture has no gradient: its teachers' are those of probabilities' means");

  [[maybe_unused]] constexpr bool needs_teacher =
      decltype(plan)::needs_teacher || wants_diagnostics<Request>;
  loss_facts const facts = plan.facts();
  check_temperatures_named(facts, teacher_kind, is_mixture<teacher_type>, student_kind);
  if (!options.temperatures.empty() && teacher_kind != operand_kind::logits &&
      student_kind != operand_kind::logits) {
    fail("batch::temperatures needs logits: probabilities have their temperature already");
  }
  check_not_null(student.x, "the student");
  check_temperature(student.temperature, "the student");
  auto const student_rows = make_source<team>(student);
  loss_settings set;
  set.options = &options;
  set.teacher_kind = teacher_kind;
  set.student_kind = student_kind;
  set.student_temperature = student.temperature;
  set.temperature = request.temperature_target;
  memory_span const student_memory = operand_span(student.x);

  if constexpr (teacher_kind == operand_kind::labels) {
    if (!(teacher.smoothing >= 0 && teacher.smoothing < 1)) {
      fail("labels: the smoothing is ", teacher.smoothing, "; it must lie in [0, 1)");
    }
    if (!options.labels.empty()) fail("labels are given twice: as the teacher and in the batch");
    set.label_smoothing = teacher.smoothing;
    using label_type = row_labels<decltype(teacher.y)>;
    label_type const labels{teacher.y};
    if (labels.size() != student_rows.rows()) {
      fail("there are ", labels.size(), " labels for the student's ", student_rows.rows(), " rows");
    }
    label_source<T, label_type> const teacher_rows(labels, teacher.smoothing);
    return run_sources<T, declared>(runs_as(policy), plan, set, request, labels, teacher_rows,
                                    student_rows.cols(), memory_span{}, student_rows,
                                    student_memory);
  } else if constexpr (teacher_kind == operand_kind::top_k) {
    check_top_k_temperatures(facts, options);
    check_top_k_operand(teacher, request.student_target, student_rows.rows());
    set.teacher_kind = operand_kind::logits;
    row_labels<std::span<std::int64_t const>> const labels{options.labels};
    return with_top_k_rows<T, needs_teacher>(teacher, [&](auto const& rows) {
      return run_sources<T, declared>(runs_as(policy), plan, set, request, labels, rows,
                                      student_rows.cols(), memory_span{}, student_rows,
                                      student_memory);
    });
  } else if constexpr (is_mixture<teacher_type>) {
    row_labels<std::span<std::int64_t const>> const labels{options.labels};
    auto const teacher_rows = mixture_rows<team>(teacher, options, request, student_memory);
    return run_sources<T, declared>(runs_as(policy), plan, set, request, labels, teacher_rows,
                                    teacher_rows.cols(), memory_span{}, student_rows,
                                    student_memory);
  } else {
    check_not_null(teacher.x, "the teacher");
    check_temperature(teacher.temperature, "the teacher");
    set.teacher_temperature = teacher.temperature;
    set.has_teacher_temperature = teacher_kind == operand_kind::logits;
    row_labels<std::span<std::int64_t const>> const labels{options.labels};
    auto const teacher_rows = make_source<team>(teacher);
    return run_sources<T, declared>(runs_as(policy), plan, set, request, labels, teacher_rows,
                                    teacher_rows.cols(), operand_span(teacher.x), student_rows,
                                    student_memory);
  }
}

/// All three verbs: checks, binds, runs, reports. Says what is wrong with the arguments' order, one
/// thing at a time.
template <class Policy, class L, class Teacher, class Student, class Where>
auto run_call(Policy const& policy, L const& what, Teacher const& teacher, Student const& student,
              Where&& where, batch const& options) {
  if constexpr (loss<Policy>) {
    static_assert(never<Policy>,
                  "divot: the last argument must be a divot::batch, such as {.weights = w}");
  } else if constexpr (std::is_same_v<Policy, cuda_policy>) {
    static_assert(
        never<Policy>,
        "divot: the policy divot::cuda needs <divot/cuda.cuh>, compiled by nvcc, and rows "
        "in the device's memory: pass a device_view, or logits(device_view, T)");
  } else if constexpr (!execution_policy<Policy>) {
    static_assert(never<Policy>,
                  "divot: the first argument must be a policy, which is divot::seq, divot::simd, "
                  "divot::omp or divot::omp(n), or, without one, the loss");
  } else if constexpr (execution_policy<L>) {
    static_assert(never<L>,
                  "divot: an argument is missing: after the policy come what, teacher, student "
                  "and, of value_and_gradient and gradient, where the gradient goes");
  } else if constexpr (!loss<L>) {
    static_assert(never<L>,
                  "divot: the argument before the teacher must be a loss: a divergence such as "
                  "divot::kl{}, divot::cross_entropy{}, or sums and multiples of them");
  } else if constexpr (!teacher_like<Teacher> || !teacher_like<Student>) {
    static_assert(never<L>,
                  "divot: teacher and student are Eigen expressions or matrix_ref, bare or in "
                  "logits(x, T), probabilities(x), log_probabilities(x); a teacher may be "
                  "labels(y), top_k(indices, log_probabilities, tail) or a mixture");
  } else {
    return run_checked(policy, what, teacher, student, request_of(std::forward<Where>(where)),
                       options);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
