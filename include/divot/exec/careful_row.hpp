// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/loss_context.hpp>
#include <divot/exec/teams.hpp>

#include <algorithm>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// A row that is done again: its logits, and then its gradients, in the call's own type, and what
/// it adds to the sums.
template <class T>
struct careful_numbers {
  index classes = 0;
  row_array<T> teacher, student;
  bool bad = false;
  double loss = 0, student_temperature = 0, teacher_temperature = 0;
};

/// Does a row again on a team of wider numbers. False where they are not wide enough either;
/// `numbers` are then as they were.
template <class Team, class Context>
DIVOT_COLD bool wider_row(Context const& call, index r,
                          careful_numbers<typename Context::T>& numbers, workspace* kept) {
  using T = typename Context::T;
  index const n = numbers.classes;
  scratch memory;
  row_memory<Team> arrays;
  memory_needs need;
  need.teacher = need.partial = true;
  need.student_gradient = need.teacher_gradient = true;
  need.teacher_panel = need.student_panel = true;
  for (bool const counting : {true, false}) {
    arrays.take(memory, n, need);
    if constexpr (Context::reduced) arrays.take_room_for(memory, call.needs(false).reduced);
    if (counting) memory.provide(kept);
  }
  std::copy_n(numbers.teacher.data(), n, arrays.teacher_panel.data());
  std::copy_n(numbers.student.data(), n, arrays.student_panel.data());
  row_task<Team> task;
  call.describe(task, r, call.gradient_factor(r));
  arrays.lend(task);
  task.teacher = arrays.teacher_panel.data();
  task.student = arrays.student_panel.data();
  task.student_gradient = arrays.student_results();
  task.teacher_gradient = arrays.teacher_results();
  if (task.has_label) task.label = call.labels[r];
  call.run_row(Team(), task, r);
  if (task.beyond) return false;
  for (index k = 0; k < n; ++k) {
    if constexpr (Context::student_wanted) {
      numbers.student[k] = static_cast<T>(task.student_gradient[k]);
    }
    if constexpr (Context::teacher_wanted) {
      numbers.teacher[k] = static_cast<T>(task.teacher_gradient[k]);
    }
  }
  numbers.bad = task.bad;
  numbers.loss = static_cast<double>(task.loss);
  numbers.student_temperature = static_cast<double>(task.student_temperature_gradient);
  numbers.teacher_temperature = static_cast<double>(task.teacher_temperature_gradient);
  return true;
}

/// Does a row again in wider types: one that has left the arithmetic's range or lost digits. The
/// widest is exact in its limits, and slow. Team: who has tried, with `memory`.
template <class Team, class Context>
DIVOT_COLD void careful_row(Context const& call, index r, typename Context::totals& totals,
                            row_memory<Team> const& memory,
                            typename Context::T* student_probabilities = nullptr) {
  using T = typename Context::T;
  if constexpr (is_real<T>) {
    careful_numbers<T> row;
    row.classes = call.classes_of(r);
    scratch narrow;
    for (bool const counting : {true, false}) {
      row.teacher.take(narrow, row.classes);
      row.student.take(narrow, row.classes);
      if (counting) narrow.provide(memory.again);
    }
    index const n = row.classes;
    call.teacher.read(r, 1, n, row.teacher.data(), n);
    call.student.read(r, 1, n, row.student.data(), n);
    workspace* const kept = memory.again != nullptr ? &memory.again->inner() : nullptr;
    bool done = false;
    if constexpr (std::is_same_v<T, float>) {
      done = wider_row<team_in_double<Team>>(call, r, row, kept);
    }
    if (!done && !wider_row<scalar_team<long double>>(call, r, row, kept)) return;
    if (row.bad) {
      call.add_bad(totals, r);
      return;
    }
    [[maybe_unused]] auto const give = [&](auto const& source, auto const& target, T* g, bool add) {
      pull_back(source, r, n, g);
      target.write(r, n, g, 1, add);
      if (!add) target.clear(r, n);
    };
    if constexpr (Context::student_wanted) {
      T* const g = row.student.data();
      if constexpr (Context::observed) {
        call.observer.template take_step<scalar_team<T>>(r, n, g, call.softmax_temperature(r),
                                                         student_probabilities);
      }
      give(call.student, call.student_target, g, call.set.student_add);
    }
    if constexpr (Context::teacher_wanted) {
      give(call.teacher, call.teacher_target, row.teacher.data(), call.set.teacher_add);
    }
    call.add_row(totals, r, row.loss, row.student_temperature, row.teacher_temperature);
  } else {
    (void)call, (void)r, (void)totals, (void)memory, (void)student_probabilities;
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
