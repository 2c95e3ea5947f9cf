// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/careful_row.hpp>
#include <divot/exec/panels.hpp>

#include <algorithm>
#include <array>

namespace divot {
inline namespace DIVOT_ABI {

/// Rows up to this long are fetched while the one before is swept: six arrays of a megabyte
/// together stay in the second-level cache.
inline constexpr index fetched_row_bytes = 160 * 1024;

/// Rows first … first + count, one after the other. With `share` all workers walk each row
/// together, and worker 0 keeps the books.
template <class Context, class Team>
void panel_of_rows(Context const& call, Team const& team, row_memory<Team> const& memory,
                   memory_needs const& need, index first, index count,
                   typename Context::totals& totals, int me, bool share) {
  using T = typename Context::T;
  constexpr bool student_wanted = Context::student_wanted, teacher_wanted = Context::teacher_wanted;
  index const most = call.set.classes;
  index const step = (most + Team::width - 1) / Team::width * Team::width;
  bool const keeper = me == 0;
  auto const wait = [&] {
    if (share) wait_for_workers();
  };

  if (keeper) {
    index const classes = count == 1 ? call.classes_of(first) : most;
    bool const any = count > 1 || call.is_valid(first);
    if (any && need.teacher_panel) {
      read_rows(call.teacher, first, count, classes, memory.teacher_panel.data(), step,
                memory.spare.data());
    }
    if (any && need.student_panel) {
      read_panel(call.student, first, count, classes, memory.student_panel.data(), step);
    }
  }
  wait();

  // a panel's gradients are written together, if all of its rows have some
  bool all_done = true;
  std::array<bool, panel_rows> done{};
  for (index i = 0; i < count; ++i) {
    index const r = first + i;
    if (!call.is_valid(r)) {
      if (keeper) call.skip(r);
      all_done = false;
      continue;
    }
    row_task<Team> task;
    call.describe(task, r, call.gradient_factor(r));
    memory.lend(task);
    if constexpr (Context::reads_teacher) {
      task.teacher =
          need.teacher_panel ? memory.teacher_panel.data() + i * step : call.teacher.direct(r);
    }
    task.student =
        need.student_panel ? memory.student_panel.data() + i * step : call.student.direct(r);
    if (step * index(sizeof(T)) <= fetched_row_bytes) {
      // the next row: of the panel, or of the matrix
      auto const next = [&](auto const& source, T const* row, bool in_panel) {
        if (in_panel && i + 1 < count) return row + step;
        return r + 1 < call.set.rows ? static_cast<T const*>(source.fetched(r + 1)) : nullptr;
      };
      if constexpr (Context::reads_teacher) {
        task.next_teacher = next(call.teacher, task.teacher, need.teacher_panel);
      }
      task.next_student = next(call.student, task.student, need.student_panel);
    }
    if (task.has_label) task.label = call.labels[r];
    if constexpr (student_wanted) {
      task.student_gradient = need.student_gradient_panel ? memory.student_results() + i * step
                                                          : call.student_target.direct(r);
      task.student_add = call.set.student_add && !need.student_gradient_panel;
      task.student_stream = !need.student_gradient_panel && call.student_target.is_large() &&
                            task.student_gradient != task.student;
    }
    if constexpr (teacher_wanted) {
      task.teacher_gradient = need.teacher_gradient_panel ? memory.teacher_results() + i * step
                                                          : call.teacher_target.direct(r);
      task.teacher_add = call.set.teacher_add && !need.teacher_gradient_panel;
      task.teacher_stream = !need.teacher_gradient_panel && call.teacher_target.is_large() &&
                            task.teacher_gradient != task.teacher;
    }

    T* student_probabilities = nullptr;
    if constexpr (Context::observed) {
      auto const to = call.observer.task(memory, step);
      auto const found = diagnostics_row<Team>(team, task, to).run();
      if (keeper) call.observer.take(r, task.classes, found, to);
      student_probabilities = to.student;
    }

    call.run_row(team, task, r);

    if (!keeper) {
      if constexpr (Context::observed) wait();
      continue;
    }
    done[static_cast<std::size_t>(i)] = !task.bad && !task.beyond;
    all_done = all_done && done[static_cast<std::size_t>(i)];
    if (task.bad) {
      call.add_bad(totals, r);
    } else if (task.beyond) {
      careful_row(call, r, totals, memory, student_probabilities);
    } else {
      using Number = typename Context::Number;
      call.add_row(totals, r, Number(task.loss), Number(task.student_temperature_gradient),
                   Number(task.teacher_temperature_gradient));
      index const n = call.classes_of(r);
      if constexpr (student_wanted) {
        if constexpr (Context::observed) {
          call.observer.template take_step<Team>(
              r, n, task.student_gradient, call.softmax_temperature(r), student_probabilities);
        }
        pull_back(call.student, r, n, task.student_gradient, memory.spare.data());
      }
      if constexpr (teacher_wanted) {
        pull_back(call.teacher, r, n, task.teacher_gradient, memory.spare.data());
      }
    }
    if constexpr (Context::observed) wait();
  }
  if (keeper) {
    auto const give = [&](auto const& target, bool panel, T const* from, bool add) {
      if (panel && all_done) {
        write_panel(target, first, count, call.classes_of(first), from, step, add);
      }
      for (index i = 0; i < count; ++i) {
        if (!done[static_cast<std::size_t>(i)]) continue;
        index const r = first + i, n = call.classes_of(r);
        if (panel && !all_done) target.write(r, n, from + i * step, 1, add);
        if (!add) target.clear(r, n);
      }
    };
    if constexpr (student_wanted) {
      give(call.student_target, need.student_gradient_panel, memory.student_results(),
           call.set.student_add);
    }
    if constexpr (teacher_wanted) {
      give(call.teacher_target, need.teacher_gradient_panel, memory.teacher_results(),
           call.set.teacher_add);
    }
  }
  wait();
}

}  // namespace DIVOT_ABI
}  // namespace divot
