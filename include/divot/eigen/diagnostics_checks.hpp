// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/eigen/checks.hpp>
#include <divot/row/operand.hpp>

#include <array>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// What diagnostics ask for must exist, and have memory of its own.
template <class Request>
void check_diagnostics(Request const& request, operand_kind student_kind, bool bucket, index rows,
                       index cols, memory_span const& student, memory_span const& teacher) {
  auto const& asked = *request.diagnostics_to.what;
  if (asked.head < 0) fail("diagnostics::head is ", asked.head, "; it must not be negative");
  if (!std::isfinite(asked.alpha) || !std::isfinite(asked.beta)) {
    fail("diagnostics: alpha is ", asked.alpha, ", beta ", asked.beta, "; they must be finite");
  }
  auto const numbers = static_cast<index>(asked.per_row.size());
  if (numbers != 0 && numbers != rows) {
    fail("diagnostics::per_row has ", numbers, " entries for ", rows, " rows");
  }
  if (bucket) {
    fail(
        "diagnostics: a top_k teacher with tail::bucket says nothing of its tail's classes; use "
        "tail::renormalise or tail::uniform");
  }
  if (asked.log_ratio.data != nullptr) {
    if (is_gradient_target<std::remove_cvref_t<decltype(request.student_target)>> == false) {
      fail("diagnostics::log_ratio needs the student's gradient: gradients().student(…)");
    }
    if (student_kind == operand_kind::probabilities) {
      fail("diagnostics::log_ratio needs the student's logits or log-probabilities");
    }
  }

  auto const span = [](auto const& g) {
    if constexpr (is_gradient_target<std::remove_cvref_t<decltype(g)>>) {
      return span_of(g.matrix);
    } else {
      return memory_span{};
    }
  };
  struct named {
    char const* name;
    memory_span memory;
  };
  std::array const others{named{"the student", student},
                          named{"the teacher", teacher},
                          named{"the student's gradient", span(request.student_target)},
                          named{"the teacher's gradient", span(request.teacher_target)},
                          named{"diagnostics::log_ratio", span_of(asked.log_ratio)},
                          named{"diagnostics::hardness", span_of(asked.hardness)},
                          named{"diagnostics::confidence", span_of(asked.confidence)}};
  std::array const matrices{asked.log_ratio, asked.hardness, asked.confidence};
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    auto const& m = matrices[i];
    named const& own = others[4 + i];
    if (m.data == nullptr) continue;
    if (m.rows != rows || m.cols != cols) {
      fail(own.name, " is ", m.rows, "×", m.cols, ", the student ", rows, "×", cols,
           "; they must have the same shape");
    }
    for (std::size_t j = 0; j < 4 + i; ++j) {
      if (overlap(own.memory, others[j].memory)) {
        fail(own.name, " and ", others[j].name, " overlap");
      }
    }
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
