// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/loss_panel.hpp>

#include <array>

namespace divot {
inline namespace DIVOT_ABI {

/// Copies rows into the lanes of a transposed panel; says whether each holds only usable numbers.
template <class Team, class Source, class T>
void fill_lanes(Source const& source, index first, index count, index classes, T* panel, T* rows,
                std::array<bool, static_cast<std::size_t>(Team::width)>& usable) {
  bool const direct = source.direct(first) != nullptr;
  if (!direct) source.read(first, count, classes, rows, classes);
  for (index i = 0; i < count; ++i) {
    T const* const x = direct ? source.direct(first + i) : rows + i * classes;
    T check(0);
    for (index k = 0; k < classes; ++k) {
      panel[k * Team::width + i] = x[k];
      check += x[k] - x[k];
    }
    if (!(check == T(0))) {
      // −inf here and there is fine; NaN, +inf or nothing else are not
      bool any = false, bad = false;
      for (index k = 0; k < classes; ++k) {
        bool const low = x[k] == -std::numeric_limits<T>::infinity();
        any = any || !low;
        bad = bad || (!low && !is_finite_number(x[k]));
      }
      if (bad || !any) usable[static_cast<std::size_t>(i)] = false;
    }
  }
}

/// As many short rows as there are lanes, each in a lane of its own.
template <class Team, class Context>
void pack_of_rows(Context const& call, row_memory<Team> const& memory, index first, index count,
                  typename Context::totals& totals) {
  using T = typename Context::T;
  using traits = typename Team::traits;
  constexpr bool student_wanted = Context::student_wanted, teacher_wanted = Context::teacher_wanted;
  constexpr auto width = static_cast<std::size_t>(Team::width);
  index const n = call.set.classes;
  std::array<bool, width> valid{}, usable{};
  for (index i = 0; i < count; ++i) {
    auto const lane = static_cast<std::size_t>(i);
    valid[lane] = usable[lane] = call.is_valid(first + i);
  }
  // scratch that the row function fills later serves for reading
  if constexpr (Context::Plan::needs_teacher) {
    fill_lanes<Team>(call.teacher, first, count, n, memory.teacher_panel.data(),
                     memory.teacher_exponentials.data(), usable);
  }
  fill_lanes<Team>(call.student, first, count, n, memory.student_panel.data(),
                   memory.student_exponentials.data(), usable);
  for (index i = 0; i < Team::width; ++i) {
    if (usable[static_cast<std::size_t>(i)]) continue;
    for (index k = 0; k < n; ++k) {
      if constexpr (Context::Plan::needs_teacher) memory.teacher_panel[k * Team::width + i] = T(0);
      memory.student_panel[k * Team::width + i] = T(0);
    }
  }

  row_task<Team> task;
  call.describe(task, first, 1);
  memory.lend(task);
  task.teacher = task.next_teacher = memory.teacher_panel.data();
  task.student = task.next_student = memory.student_panel.data();
  task.student_gradient = memory.student_gradient_panel.data();
  task.teacher_gradient = memory.teacher_gradient_panel.data();
  std::array<T, width> labels{}, student_scale{}, teacher_scale{};
  for (index i = 0; i < count; ++i) {
    auto const lane = static_cast<std::size_t>(i);
    double const factor = call.gradient_factor(first + i);
    student_scale[lane] = static_cast<T>(factor * call.set.student_scale);
    teacher_scale[lane] = static_cast<T>(factor * call.set.teacher_scale);
    if (task.has_label && valid[lane]) labels[lane] = static_cast<T>(call.labels[first + i]);
  }
  task.student_scale = traits::load(student_scale.data());
  task.teacher_scale = traits::load(teacher_scale.data());
  task.label = traits::load(labels.data());

  Team const team;
  loss_row<student_wanted, teacher_wanted, Team>(team, task).run(call.plan);

  auto const losses = traits::to_array(task.loss);
  auto const student_t = traits::to_array(task.student_temperature_gradient);
  auto const teacher_t = traits::to_array(task.teacher_temperature_gradient);
  for (index i = 0; i < count; ++i) {
    auto const lane = static_cast<std::size_t>(i);
    index const r = first + i;
    if (!valid[lane]) {
      call.skip(r);
    } else if (!usable[lane]) {
      call.add_bad(totals, r);
    } else if (!is_finite_number(losses[lane])) {
      careful_row(call, r, totals);
    } else {
      if constexpr (student_wanted) {
        call.student_target.write(r, n, task.student_gradient + i, Team::width,
                                  call.set.student_add);
        if (!call.set.student_add) call.student_target.clear(r, n);
      }
      if constexpr (teacher_wanted) {
        call.teacher_target.write(r, n, task.teacher_gradient + i, Team::width,
                                  call.set.teacher_add);
        if (!call.set.teacher_add) call.teacher_target.clear(r, n);
      }
      call.add_row(totals, r, losses[lane], student_t[lane], teacher_t[lane]);
    }
  }
}

/// check::first: looks over every row before anything is written.
template <class Context>
void screen_all(Context const& call) {
  using T = typename Context::T;
  index first_bad = -1, bad = 0;
  for (index r = 0; r < call.set.rows; ++r) {
    if (!call.is_valid(r)) continue;
    index const n = call.classes_of(r);
    bool const flawed =
        (call.teacher.rows() > 0 && find_row_flaw<T>(call.teacher, call.set.teacher_kind, r, n)) ||
        find_row_flaw<T>(call.student, call.set.student_kind, r, n);
    if (!flawed) continue;
    if (first_bad < 0) first_bad = r;
    ++bad;
  }
  if (bad > 0) {
    report_bad_row<T>(call.teacher, call.set.teacher_kind, call.student, call.set.student_kind,
                      first_bad, call.classes_of(first_bad), bad, false);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
