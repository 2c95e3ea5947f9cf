// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/catalogue.hpp>
#include <divot/eigen/checks.hpp>
#include <divot/exec/device_operands.hpp>
#include <divot/exec/loss_rows.hpp>
#include <divot/exec/parameter_rows.hpp>
#include <divot/family/aliases.hpp>
#include <divot/family/composite_generator.hpp>
#include <divot/family/divergence/f_divergence.hpp>
#include <divot/family/divergence/skewed.hpp>
#include <divot/family/function_generator.hpp>
#include <divot/loss_call.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// The loss of a student against a teacher.
///
///   value(policy, what, teacher, student, batch)
///
/// policy   seq, simd (the default) or omp(n)
/// what     a divergence, cross_entropy, z_loss, sinkd, or weighted sums of them, each at its own
///          temperature if it names one
/// teacher  rows × classes: logits (also a bare matrix, at temperature 1), log_probabilities,
///          probabilities, labels or top_k
/// student  rows × classes: logits, log_probabilities or probabilities
/// batch    weights, masks, reduction …
/// Returns  loss_result<T>, T = float for float and 16-bit storage, double as soon as one is double
/// Errors   divot::error for shapes and options; divot::bad_value for NaN, +inf and the like
template <class Policy, class L, class Teacher, class Student>
requires(!runs_on_device<Policy, Student>) auto value(Policy const& policy, L const& what,
                                                      Teacher const& teacher,
                                                      Student const& student,
                                                      batch const& options = {}) {
  return run_call(policy, what, teacher, student, gradients(), options);
}

/// The loss and its exact gradient.
///
///   value_and_gradient(policy, what, teacher, student, where, batch)
///
/// where    a matrix of the student's shape (it may be the student's own logits: in place),
///          accumulate(matrix, scale), a matrix_ref, or gradients().student(…).teacher(…)…
template <class Policy, class L, class Teacher, class Student, gradient_place Where>
requires(!runs_on_device<Policy, Student>) auto value_and_gradient(
    Policy const& policy, L const& what, Teacher const& teacher, Student const& student,
    Where&& where, batch const& options = {}) {
  return run_call(policy, what, teacher, student, std::forward<Where>(where), options);
}

/// The gradient alone; costs what value_and_gradient does.
template <class Policy, class L, class Teacher, class Student, gradient_place Where>
requires(!runs_on_device<Policy, Student>) void gradient(Policy const& policy, L const& what,
                                                         Teacher const& teacher,
                                                         Student const& student, Where&& where,
                                                         batch const& options = {}) {
  run_call(policy, what, teacher, student, std::forward<Where>(where), options);
}

template <class L, class Teacher, class Student>
auto value(L const& what, Teacher const& teacher, Student const& student,
           batch const& options = {}) {
  return run_call(simd, what, teacher, student, gradients(), options);
}
template <class L, class Teacher, class Student, gradient_place Where>
auto value_and_gradient(L const& what, Teacher const& teacher, Student const& student,
                        Where&& where, batch const& options = {}) {
  return run_call(simd, what, teacher, student, std::forward<Where>(where), options);
}
template <class L, class Teacher, class Student, gradient_place Where>
void gradient(L const& what, Teacher const& teacher, Student const& student, Where&& where,
              batch const& options = {}) {
  run_call(simd, what, teacher, student, std::forward<Where>(where), options);
}

// What else compilers would call "no matching function".
template <class L, class Student>
auto value(L const&, Student const&, batch const& = {}) {
  static_assert(never<L>,
                "divot: an argument is missing: the order is ([policy,] what, teacher, student "
                "[, batch]); a loss that reads no teacher takes the student in its place");
}
template <class L, class Teacher, class Student>
auto value_and_gradient(L const&, Teacher const&, Student const&, batch const& = {}) {
  static_assert(never<L>,
                "divot: where the gradient goes is missing: behind the student comes a matrix of "
                "its shape, accumulate(matrix) or gradients().student(matrix)");
}
template <class L, class Teacher, class Student>
auto gradient(L const& what, Teacher const& teacher, Student const& student,
              batch const& options = {}) {
  return value_and_gradient(what, teacher, student, options);
}

}  // namespace DIVOT_ABI
}  // namespace divot
