// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/divergence.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// What teacher and student are like, without a loss: entropies, cross-entropy, agreement, masses
/// on label and head, the weights of an α-β divergence. With a loss the same comes of the same
/// read: value_and_gradient(…, gradients().student(g).diagnostics(asked)).
///
///   diagnose(policy, teacher, student, asked, batch)
///
/// policy   seq, simd (the default) or omp(n)
/// teacher  rows × classes, as for a loss; not top_k with tail::bucket
/// student  rows × classes, as for a loss
/// asked    a diagnostics<S>, read and written; without it the means are all there is
/// batch    mask, labels, valid classes, temperatures …
/// Returns  the means over the valid rows
/// Errors   as for a loss
template <class Policy, class Teacher, class Student, class S>
row_diagnostics diagnose(Policy const& policy, Teacher const& teacher, Student const& student,
                         diagnostics<S>& asked, batch const& options = {}) {
  // a loss that reads no teacher and is 0
  run_call(policy, 0. * z_loss{}, teacher, student, gradients().diagnostics(asked), options);
  return asked.mean;
}
template <class Teacher, class Student, class S>
requires(!execution_policy<Teacher>) row_diagnostics
    diagnose(Teacher const& teacher, Student const& student, diagnostics<S>& asked,
             batch const& options = {}) {
  return diagnose(simd, teacher, student, asked, options);
}
template <class Teacher, class Student>
requires(!execution_policy<Teacher>) row_diagnostics
    diagnose(Teacher const& teacher, Student const& student, batch const& options = {}) {
  diagnostics<> asked;
  return diagnose(simd, teacher, student, asked, options);
}

}  // namespace DIVOT_ABI
}  // namespace divot
