// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/eigen/checks.hpp>
#include <divot/eigen/top_k.hpp>

#include <cstdint>
#include <tuple>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// What does not go with a top-k teacher in a loss or batch: it has one temperature for good.
inline void check_top_k_temperatures(loss_facts const& loss, batch const& options) {
  constexpr char const* why =
      "a top-k teacher cannot be re-tempered, its other classes are not there: pass "
      "log-probabilities taken at that temperature, and logits(student, T)";
  if (loss.tempers_teacher) fail("at(T, …): ", why);
  if (!options.temperatures.empty()) fail("batch::temperatures: ", why);
}

/// Shapes and memory of a top-k teacher.
template <class Teacher, class Target>
void check_top_k_operand(Teacher const& teacher, Target const& target, index rows) {
  check_not_null(teacher.indices, "top_k's indices");
  check_not_null(teacher.x, "top_k's log-probabilities");
  auto const indices = source_of<std::int64_t>(teacher.indices);
  auto const log_p = source_of<double>(teacher.x);
  if (indices.rows() != log_p.rows() || indices.cols() != log_p.cols()) {
    fail("top_k: the indices are ", indices.rows(), "×", indices.cols(), ", the log-probabilities ",
         log_p.rows(), "×", log_p.cols(), "; they must have the same shape");
  }
  auto const masses = static_cast<index>(teacher.log_mass.size());
  if (masses != 0 && masses != rows) {
    fail("top_k: there are ", masses, " log tail masses for the student's ", rows, " rows");
  }
  if constexpr (is_gradient_target<Target>) {
    memory_span const to = span_of(target.matrix);
    if (overlap(to, operand_span(teacher.indices)) || overlap(to, operand_span(teacher.x))) {
      fail("the student's gradient and the teacher overlap; give the gradient memory of its own");
    }
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
