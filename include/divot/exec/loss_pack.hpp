// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/loss_panel.hpp>
#include <divot/team/reduce.hpp>

#include <array>
#include <cstdint>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// A bit for each row of a pack, from the lowest.
using row_bits = std::uint32_t;
constexpr row_bits first_bits(index count) {
  return static_cast<row_bits>((std::uint64_t(1) << count) - 1);
}

/// Copies rows into the lanes of a transposed panel; says which hold only usable numbers.
template <class Team, class Source, class T>
row_bits fill_lanes(Source const& source, index first, index count, index classes, T* panel,
                    T* rows) {
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
  row_bits usable = first_bits(count);
  if (Team::traits::all(finite)) return usable;
  for (index i = 0; i < count; ++i) {
    // −inf here and there is fine; NaN, +inf or nothing else are not
    bool any = false, bad = false;
    for (index k = 0; k < classes; ++k) {
      T const x = panel[k * Team::width + i];
      bool const low = x == -std::numeric_limits<T>::infinity();
      any = any || !low;
      bad = bad || (!low && !is_finite_number(x));
    }
    if (bad || !any) usable &= ~(row_bits(1) << i);
  }
  return usable;
}

/// Writes the rows that lie in the lanes of a panel: those of `count` that are `done`.
template <class Team, class Target, class T>
void write_lanes(Target const& target, index first, index count, index classes, T const* panel,
                 bool add, row_bits done) {
  bool together = false;
  if constexpr (has_tiles<T, Target>) {
    together = target.view().col_stride == 1 && done == first_bits(count);
    if (together) lanes_to_rows(target.view(), first, count, classes, panel, add);
  }
  bool const clears = !add && target.reaches_past(classes);
  if (together && !clears) return;
  for (index i = 0; i < count; ++i) {
    if ((done >> i & 1) == 0) continue;
    if (!together) target.write(first + i, classes, panel + i, Team::width, add);
    if (clears) target.clear(first + i, classes);
  }
}

/// The same, pulled back on the way where the source's logits were transformed: `rows` has room for
/// all of them, `spare` is the source's.
template <class Team, class Source, class Target, class T>
void give_lanes([[maybe_unused]] Source const& source, Target const& target, index first,
                index count, index classes, T const* panel, bool add, row_bits done,
                [[maybe_unused]] T* rows, [[maybe_unused]] T* spare) {
  if constexpr (is_transformed<Source>) {
    lanes_to_rows(matrix_ref<T>(rows, count, classes), 0, count, classes, panel, false);
    for (index i = 0; i < count; ++i) {
      if ((done >> i & 1) != 0) {
        pull_back(source, first + i, classes, rows + i * classes, spare);
      }
    }
    for (index i = 0; i < count; ++i) {
      if ((done >> i & 1) == 0) continue;
      target.write(first + i, classes, rows + i * classes, 1, add);
      if (!add) target.clear(first + i, classes);
    }
  } else {
    write_lanes<Team>(target, first, count, classes, panel, add, done);
  }
}

/// What all packs of a call have in common.
template <class Team, class Context>
row_task<Team> pack_task(Context const& call, row_memory<Team> const& memory) {
  row_task<Team> task;
  // rows that are alike differ in nothing
  call.describe(task, 0, call.rows_are_alike() ? call.gradient_factor(0) : 1);
  memory.lend(task);
  task.teacher = memory.teacher_panel.data();
  task.student = memory.student_panel.data();
  task.student_gradient = memory.student_results();
  task.teacher_gradient = memory.teacher_results();
  return task;
}

/// As many short rows as there are lanes, each in a lane of its own. `task` is the call's.
template <class Team, class Context>
void pack_of_rows(Context const& call, row_memory<Team> const& memory, row_task<Team>& task,
                  index first, index count, typename Context::totals& totals) {
  using T = typename Context::T;
  using lane = typename Team::lane;
  using traits = typename Team::traits;
  constexpr bool student_wanted = Context::student_wanted, teacher_wanted = Context::teacher_wanted;
  constexpr auto width = static_cast<std::size_t>(Team::width);
  index const n = call.set.classes;
  bool const alike = call.rows_are_alike();
  row_bits const here = first_bits(count);
  row_bits valid = here;
  for (index i = 0; !alike && i < count; ++i) {
    if (!call.is_valid(first + i)) valid &= ~(row_bits(1) << i);
  }
  // scratch that the row function fills later serves for reading
  row_bits usable = valid;
  if constexpr (Context::reads_teacher) {
    usable &= fill_lanes<Team>(call.teacher, first, count, n, memory.teacher_panel.data(),
                               memory.teacher_exponentials.data());
  }
  usable &= fill_lanes<Team>(call.student, first, count, n, memory.student_panel.data(),
                             memory.student_exponentials.data());
  for (index i = 0; usable != first_bits(Team::width) && i < Team::width; ++i) {
    if ((usable >> i & 1) != 0) continue;
    for (index k = 0; k < n; ++k) {
      if constexpr (Context::reads_teacher) memory.teacher_panel[k * Team::width + i] = T(0);
      memory.student_panel[k * Team::width + i] = T(0);
    }
  }

  if (!alike) {
    std::array<T, width> student_scale{}, teacher_scale{};
    for (index i = 0; i < count; ++i) {
      auto const at = static_cast<std::size_t>(i);
      double const factor = call.gradient_factor(first + i);
      student_scale[at] = static_cast<T>(factor * call.set.student_scale);
      teacher_scale[at] = static_cast<T>(factor * call.set.teacher_scale);
    }
    task.student_scale = traits::load(student_scale.data());
    task.teacher_scale = traits::load(teacher_scale.data());
  }
  if (task.has_label) {
    std::array<T, width> labels{};
    for (index i = 0; i < count; ++i) {
      if ((valid >> i & 1) == 0) continue;
      labels[static_cast<std::size_t>(i)] = static_cast<T>(call.labels[first + i]);
    }
    task.label = traits::load(labels.data());
  }

  call.run_row(Team(), task, first);

  row_bits done = 0;
  if (count == Team::width && usable == here && call.only_adds() &&
      traits::all(task.loss - task.loss == lane(T(0)))) {
    done = here;
    totals.loss += reduce<T>::sum(task.loss);
    if (task.want_temperature) {
      totals.student_temperature += reduce<T>::sum(task.student_temperature_gradient);
      totals.teacher_temperature += reduce<T>::sum(task.teacher_temperature_gradient);
    }
  } else {
    auto const losses = traits::to_array(task.loss);
    auto const student_t = traits::to_array(task.student_temperature_gradient);
    auto const teacher_t = traits::to_array(task.teacher_temperature_gradient);
    for (index i = 0; i < count; ++i) {
      auto const at = static_cast<std::size_t>(i);
      index const r = first + i;
      if ((valid >> i & 1) == 0) {
        call.skip(r);
      } else if ((usable >> i & 1) == 0) {
        call.add_bad(totals, r);
      } else if (!is_finite_number(losses[at])) {
        careful_row(call, r, totals, memory);
      } else {
        done |= row_bits(1) << i;
        call.add_row(totals, r, losses[at], student_t[at], teacher_t[at]);
      }
    }
  }
  if constexpr (student_wanted) {
    give_lanes<Team>(call.student, call.student_target, first, count, n, task.student_gradient,
                     call.set.student_add, done, memory.student_exponentials.data(),
                     memory.spare.data());
  }
  if constexpr (teacher_wanted) {
    give_lanes<Team>(call.teacher, call.teacher_target, first, count, n, task.teacher_gradient,
                     call.set.teacher_add, done, memory.student_exponentials.data(),
                     memory.spare.data());
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
