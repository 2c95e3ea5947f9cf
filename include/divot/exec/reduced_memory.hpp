// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/row_memory.hpp>
#include <divot/row/top_k_source.hpp>
#include <divot/team/scalar.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// The arrays of a row of a few classes that stands for a long one. It is evaluated in the widest
/// type: it is short, its last logit is a sum over all of the tail, and no limit needs a second
/// run.
struct reduced_memory : row_memory<scalar_team<long double>> {
  using team = scalar_team<long double>;

  void take_from(scratch& memory, index classes) {
    memory_needs needs;
    needs.teacher = needs.student_gradient = needs.partial = true;
    needs.teacher_stays = needs.teacher_panel = needs.student_panel = true;
    take(memory, classes, needs);
  }
  static index bytes(index classes) {
    scratch counter;
    reduced_memory arrays;
    arrays.take_from(counter, classes);
    return counter.used();
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
