// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/loss_context.hpp>
#include <divot/exec/teams.hpp>
#include <divot/row/bucket_row.hpp>
#include <divot/row/loss_row.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// One row of a loss: as it is, or reduced to the classes that a top-k teacher names.
template <class Plan, class Context, class Team>
void run_row(void const* loss, [[maybe_unused]] Context const& call, Team const& team,
             row_task<Team>& task, [[maybe_unused]] index r) {
  auto const& plan = *static_cast<Plan const*>(loss);
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
        .run(plan, call.teacher, r);
  } else {
    loss_row<Context::student_wanted, Context::teacher_wanted, Context::tangent, Team>(team, task)
        .run(plan);
  }
}

/// Gives a call its loss: the functions of all teams that a policy's rows may come to.
template <execution_policy Policy, class Plan, class Context>
void set_loss(Context& call, Plan const& plan) {
  using T = typename Context::T;
  call.functions = decltype(call.functions)(&plan);
  auto const set = [&]<class Team>(std::type_identity<Team>) {
    call.functions.template set<Team>(&run_row<Plan, Context, Team>);
  };
  set(std::type_identity<row_team<Policy, T>>{});
  if constexpr (has_short_rows<Policy, Context>) set(std::type_identity<short_row_team<T>>{});
  if constexpr (is_real<T>) {
    if constexpr (std::is_same_v<T, float>) {
      set(std::type_identity<team_in_double<row_team<Policy, T>>>{});
    }
    set(std::type_identity<scalar_team<long double>>{});
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
