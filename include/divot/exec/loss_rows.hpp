// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/loss_pack.hpp>
#include <divot/exec/loss_panel.hpp>
#include <divot/exec/teams.hpp>

#include <algorithm>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// Up to this many classes, rows go across lanes.
inline constexpr index short_row = 128;
/// Sums are taken in so many stretches of rows at most; fixed, so that threads change no bit.
inline constexpr index most_stretches = 256;

/// The task of all packs, where rows go across lanes.
template <class Team, class Context>
auto task_of(Context const& call, row_memory<Team> const& memory) {
  if constexpr (Team::across) {
    return pack_task<Team>(call, memory);
  } else {
    (void)call, (void)memory;
    return 0;
  }
}

/// Runs a loss over all rows with one kind of team.
template <class Team, class Context, execution_policy Policy>
typename Context::totals run_rows(Context const& call, Policy const& policy) {
  memory_needs const need = call.needs(Team::across);
  index const step = Team::across ? Team::width : need.panel;
  // stretches: a whole number of panels, at most 256 of them
  index const panels = (call.set.rows + step - 1) / step;
  index const stretch = std::max<index>(1, (panels + most_stretches - 1) / most_stretches) * step;
  index const stretches = (call.set.rows + stretch - 1) / stretch;
  int const workers = worker_count(
      policy, static_cast<double>(call.set.rows) * static_cast<double>(call.set.classes));
  // few long rows: all workers share each row
  bool const share = !Team::across && !Context::reduced && workers > 1 && stretches < 2 * workers &&
                     block_count<Team>(call.set.classes) >= 4 * workers;
  index const sets = share ? 1 : workers;

  auto const fill = [&](row_memory<Team>& set, scratch& from) {
    set.take(from, call.set.classes, need);
    if constexpr (Context::reduced) set.take_room_for(from, need.reduced);
  };
  scratch memory;
  array_sets<row_memory<Team>, decltype(fill)> sets_of_memory(sets, fill);
  row_array<typename Context::totals> totals;
  for (bool const counting : {true, false}) {
    totals.take(memory, stretches);
    sets_of_memory.take(memory, counting);
    if (counting) memory.provide(call.set.options->workspace);
  }
  for (index s = 0; s < stretches; ++s) totals[s] = {};
  if (workspace* const kept = call.set.options->workspace; kept != nullptr) {
    auto const again = kept->of_workers(static_cast<std::size_t>(sets));
    for (index i = 0; i < sets; ++i) sets_of_memory[i].again = &again[static_cast<std::size_t>(i)];
  }

  run_workers(policy, workers, [&](int me, int team_size) {
    auto const& own = sets_of_memory[share ? 0 : me];
    Team const team = make_team<Team>(share ? me : 0, share ? team_size : 1);
    [[maybe_unused]] auto task = task_of(call, own);
    // a stretch is one worker's, or everybody's
    for (index s = share ? 0 : me; s < stretches; s += share ? 1 : team_size) {
      index const last = std::min(call.set.rows, (s + 1) * stretch);
      for (index r = s * stretch; r < last; r += step) {
        index const count = std::min(step, last - r);
        if constexpr (Team::across) {
          pack_of_rows<Team>(call, own, task, r, count, totals[s]);
        } else {
          panel_of_rows(call, team, own, need, r, count, totals[s], share ? me : 0, share);
        }
      }
    }
  });
  typename Context::totals total;
  for (index s = 0; s < stretches; ++s) {
    total.loss += totals[s].loss;
    total.student_temperature += totals[s].student_temperature;
    total.teacher_temperature += totals[s].teacher_temperature;
    total.bad += totals[s].bad;
    if (total.first_bad < 0) total.first_bad = totals[s].first_bad;
  }
  return total;
}

/// Runs a loss over all rows.
template <class Context, execution_policy Policy>
typename Context::totals run_loss(Context const& call, Policy const& policy) {
  using T = typename Context::T;
  batch const& options = *call.set.options;
  auto const& teacher = call.teacher_that_counts();
  screen_rows<T>(options, call.set.classes, teacher, call.set.teacher_kind, call.student,
                 call.set.student_kind, [&](index row, index bad) {
                   report_bad_row<T>(teacher, call.set.teacher_kind, call.student,
                                     call.set.student_kind, row, call.classes_of(row), bad, false);
                 });
  if constexpr (has_short_rows<Policy, Context>) {
    bool const uniform = options.valid_classes_per_row.empty() && options.temperatures.empty();
    bool const plain = (call.set.teacher_kind == operand_kind::logits ||
                        call.set.teacher_kind == operand_kind::labels) &&
                       call.set.student_kind == operand_kind::logits;
    if (call.set.classes <= short_row && uniform && plain) {
      return run_rows<short_row_team<T>>(call, policy);
    }
  }
  return run_rows<row_team<Policy, T>>(call, policy);
}

}  // namespace DIVOT_ABI
}  // namespace divot
