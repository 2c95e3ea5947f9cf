// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/loss_context.hpp>
#include <divot/row/bucket_row.hpp>
#include <divot/row/loss_row.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// One row of a call: as it is, or reduced to the classes that a top-k teacher names.
template <class Context, class Team>
void run_row(Context const& call, Team const& team, row_task<Team>& task,
             [[maybe_unused]] index r) {
  if constexpr (Context::reduced) {
    row_memory<Team> shorter;
    scratch memory;
    memory.lend(task.reduced);
    shorter.take_reduced(memory, call.teacher.named() + 1);
    reduced_row<Team> few{{}, shorter.teacher_panel.data(), shorter.student_panel.data()};
    call.describe(few.task, r, call.gradient_factor(r));
    shorter.lend(few.task);
    few.task.student_gradient = shorter.student_partial.data();
    bucket_row<Context::student_wanted, Context::tangent, Team>(team, task, few)
        .run(call.plan, call.teacher, r);
  } else {
    loss_row<Context::student_wanted, Context::teacher_wanted, Context::tangent, Team>(team, task)
        .run(call.plan);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
