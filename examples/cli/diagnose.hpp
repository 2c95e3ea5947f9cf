// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "inputs.hpp"

#include <divot/core/diagnostics.hpp>

#include <array>

namespace cli {

/// What teacher and student are like at --temperature: means over the valid rows. `head`: classes
/// in the teacher's; 0: none.
divot::row_diagnostics diagnose(problem const& inputs, divot::index head);

/// What reports call the numbers, and which of them wants a head or labels.
struct diagnostic {
  char const* name;
  double divot::row_diagnostics::*value;
  bool of_head = false, of_label = false;
};
inline constexpr std::array<diagnostic, 10> diagnostics{
    {{"teacher_entropy", &divot::row_diagnostics::teacher_entropy},
     {"student_entropy", &divot::row_diagnostics::student_entropy},
     {"cross_entropy", &divot::row_diagnostics::cross_entropy},
     {"agreement", &divot::row_diagnostics::agreement},
     {"teacher_on_label", &divot::row_diagnostics::teacher_on_label, false, true},
     {"student_on_label", &divot::row_diagnostics::student_on_label, false, true},
     {"teacher_head", &divot::row_diagnostics::teacher_head, true},
     {"teacher_tail", &divot::row_diagnostics::teacher_tail, true},
     {"student_head", &divot::row_diagnostics::student_head, true},
     {"student_tail", &divot::row_diagnostics::student_tail, true}}};

}  // namespace cli
