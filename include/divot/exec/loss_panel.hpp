// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/loss_context.hpp>
#include <divot/exec/panels.hpp>
#include <divot/exec/workers.hpp>
#include <divot/team/scalar.hpp>

#include <array>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// A row that is done again: its logits, and then its gradients, in the call's own type, and what
/// it adds to the sums.
template <class T>
struct careful_numbers {
  std::vector<T> teacher, student;
  bool bad = false;
  double loss = 0, student_temperature = 0, teacher_temperature = 0;
};

/// Does a row again on a team of wider numbers, all of its memory its own. False where they are not
/// wide enough either; `numbers` are then as they were.
template <class Wide, class Context>
DIVOT_COLD bool wider_row(Context const& call, index r,
                          careful_numbers<typename Context::T>& numbers) {
  using T = typename Context::T;
  using team_type = scalar_team<Wide>;
  std::size_t const size = numbers.student.size();
  std::vector<Wide> const teacher(numbers.teacher.begin(), numbers.teacher.end());
  std::vector<Wide> const student(numbers.student.begin(), numbers.student.end());
  std::vector<Wide> student_g(size), teacher_g(size);

  scratch memory;
  row_memory<team_type> arrays;
  memory_needs need;
  need.teacher = need.partial = true;
  need.student_gradient = need.teacher_gradient = true;
  for (bool const counting : {true, false}) {
    arrays.take(memory, static_cast<index>(size), need);
    if constexpr (Context::reduced) arrays.take_room_for(memory, call.needs(false).reduced);
    if (counting) memory.provide(nullptr);
  }
  row_task<team_type> task;
  call.describe(task, r, call.gradient_factor(r));
  arrays.lend(task);
  task.teacher = teacher.data();
  task.student = student.data();
  task.student_gradient = student_g.data();
  task.teacher_gradient = teacher_g.data();
  if (task.has_label) task.label = call.labels[r];
  team_type const team;
  call.run_row(team, task, r);
  if (task.beyond) return false;
  for (std::size_t k = 0; k < size; ++k) {
    if constexpr (Context::student_wanted) numbers.student[k] = static_cast<T>(student_g[k]);
    if constexpr (Context::teacher_wanted) numbers.teacher[k] = static_cast<T>(teacher_g[k]);
  }
  numbers.bad = task.bad;
  numbers.loss = static_cast<double>(task.loss);
  numbers.student_temperature = static_cast<double>(task.student_temperature_gradient);
  numbers.teacher_temperature = static_cast<double>(task.teacher_temperature_gradient);
  return true;
}

/// Does a row again in wider types: one that has left the arithmetic's range or lost digits. The
/// widest is exact in its limits, and slow.
template <class Context>
DIVOT_COLD void careful_row(Context const& call, index r, typename Context::totals& totals,
                            typename Context::T* student_probabilities = nullptr) {
  using T = typename Context::T;
  if constexpr (is_real<T>) {
    index const n = call.classes_of(r);
    auto const size = static_cast<std::size_t>(n);
    careful_numbers<T> row{std::vector<T>(size), std::vector<T>(size)};
    call.teacher.read(r, 1, n, row.teacher.data(), n);
    call.student.read(r, 1, n, row.student.data(), n);
    bool done = false;
    if constexpr (std::is_same_v<T, float>) done = wider_row<double>(call, r, row);
    if (!done && !wider_row<long double>(call, r, row)) return;
    if (row.bad) {
      call.add_bad(totals, r);
      return;
    }
    if constexpr (Context::student_wanted) {
      T* const g = row.student.data();
      if constexpr (Context::observed) {
        call.observer.template take_step<scalar_team<T>>(r, n, g, call.softmax_temperature(r),
                                                         student_probabilities);
      }
      pull_back(call.student, r, n, g);
      call.student_target.write(r, n, g, 1, call.set.student_add);
      if (!call.set.student_add) call.student_target.clear(r, n);
    }
    if constexpr (Context::teacher_wanted) {
      T* const g = row.teacher.data();
      pull_back(call.teacher, r, n, g);
      call.teacher_target.write(r, n, g, 1, call.set.teacher_add);
      if (!call.set.teacher_add) call.teacher_target.clear(r, n);
    }
    call.add_row(totals, r, row.loss, row.student_temperature, row.teacher_temperature);
  } else {
    (void)call, (void)r, (void)totals, (void)student_probabilities;
  }
}

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
      careful_row(call, r, totals, student_probabilities);
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
