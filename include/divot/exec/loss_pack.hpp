// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/loss_panel.hpp>

#include <algorithm>
#include <array>

namespace divot {
inline namespace DIVOT_ABI {

/// Copies rows into the lanes of a transposed panel; says whether each holds only usable numbers.
template <class Team, class Source, class T>
void fill_lanes(Source const& source, index first, index count, index classes, T* panel, T* rows,
                std::array<bool, static_cast<std::size_t>(Team::width)>& usable) {
  using lane = typename Team::lane;
  matrix_ref<T const> m{rows, count, classes, classes, 1};
  index start = 0;
  bool direct = false;
  if constexpr (has_tiles<T, Source>) {
    direct = source.view().col_stride == 1;
    if (direct) {
      m = source.view();
      start = first;
    }
  }
  if (!direct) read_panel(source, first, count, classes, rows, classes);
  rows_to_lanes(m, start, count, classes, panel);

  lane const nothing(T(0));
  lane totals[4] = {nothing, nothing, nothing, nothing};
  Team::each_of_four(0, classes, [&](auto const& place, auto i) DIVOT_LAMBDA_INLINE {
    totals[i] += place.load(panel, 0);
  });
  lane const total = (totals[0] + totals[1]) + (totals[2] + totals[3]);
  auto const finite = total - total == lane(T(0));
  if (Team::traits::all(finite)) return;
  for (index i = 0; i < count; ++i) {
    // −inf here and there is fine; NaN, +inf or nothing else are not
    bool any = false, bad = false;
    for (index k = 0; k < classes; ++k) {
      T const x = panel[k * Team::width + i];
      bool const low = x == -std::numeric_limits<T>::infinity();
      any = any || !low;
      bad = bad || (!low && !is_finite_number(x));
    }
    if (bad || !any) usable[static_cast<std::size_t>(i)] = false;
  }
}

/// Writes the rows that lie in the lanes of a panel: all `done` of them.
template <class Team, class Target, class T, class Done>
void write_lanes(Target const& target, index first, index count, index classes, T const* panel,
                 bool add, Done const& done) {
  bool together = false;
  if constexpr (has_tiles<T, Target>) {
    together = target.view().col_stride == 1 &&
               std::all_of(done.begin(), done.begin() + count, [](bool d) { return d; });
    if (together) lanes_to_rows(target.view(), first, count, classes, panel, add);
  }
  for (index i = 0; i < count; ++i) {
    if (!done[static_cast<std::size_t>(i)]) continue;
    if (!together) target.write(first + i, classes, panel + i, Team::width, add);
    if (!add) target.clear(first + i, classes);
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
  task.teacher = memory.teacher_panel.data();
  task.student = memory.student_panel.data();
  task.student_gradient = memory.student_results();
  task.teacher_gradient = memory.teacher_results();
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
  loss_row<student_wanted, teacher_wanted, false, Team>(team, task).run(call.plan);

  auto const losses = traits::to_array(task.loss);
  auto const student_t = traits::to_array(task.student_temperature_gradient);
  auto const teacher_t = traits::to_array(task.teacher_temperature_gradient);
  std::array<bool, width> done{};
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
      done[lane] = true;
      call.add_row(totals, r, losses[lane], student_t[lane], teacher_t[lane]);
    }
  }
  if constexpr (student_wanted) {
    write_lanes<Team>(call.student_target, first, count, n, task.student_gradient,
                      call.set.student_add, done);
  }
  if constexpr (teacher_wanted) {
    write_lanes<Team>(call.teacher_target, first, count, n, task.teacher_gradient,
                      call.set.teacher_add, done);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
