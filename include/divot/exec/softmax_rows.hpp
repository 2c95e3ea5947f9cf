// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/options.hpp>
#include <divot/exec/panels.hpp>
#include <divot/exec/row_memory.hpp>
#include <divot/exec/screen.hpp>
#include <divot/exec/teams.hpp>
#include <divot/exec/workers.hpp>
#include <divot/row/softmax_row.hpp>

#include <atomic>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// Calls body(team, row, its classes, first operand, second operand, target, memory, me) for every
/// valid row.
///
/// `add` and `scale` are those of an accumulating target.
///
/// The operands are rows of T, where they lie or copied; the target likewise. The body returns
/// whether the row was good; a bad row's target is left as it was. Masked rows of the target are
/// zeroed. Returns {bad rows, first bad row}.
template <class T, execution_policy Policy, class First, class Second, class Target, class Body>
std::pair<index, index> transform_rows(Policy const& policy, batch const& options, index rows,
                                       index classes, First const& first, Second const& second,
                                       Target const& target, bool add, double scale,
                                       Body const& body) {
  using Team = row_team<Policy, T>;
  int const workers =
      worker_count(policy, static_cast<double>(rows) * static_cast<double>(classes));
  bool const share = workers > 1 && rows < 2 * workers && block_count<Team>(classes) >= 4 * workers;
  memory_needs need;
  need.teacher = second.rows() > 0;
  need.student_panel = first.direct(0) == nullptr;
  need.teacher_panel = need.teacher && second.direct(0) == nullptr;
  bool const plain = !add && scale == 1;
  need.student_gradient_panel = Target::wanted && (!plain || target.direct(0) == nullptr);

  auto const fill = [&](row_memory<Team>& set, scratch& from) { set.take(from, classes, need); };
  scratch memory;
  array_sets<row_memory<Team>, decltype(fill)> sets(share ? 1 : workers, fill);
  for (bool const counting : {true, false}) {
    sets.take(memory, counting);
    if (counting) memory.provide(options.workspace);
  }
  std::atomic<index> bad{0}, first_bad{rows};
  run_workers(policy, workers, [&](int me, int team_size) {
    auto const& own = sets[share ? 0 : me];
    Team const team = make_team<Team>(share ? me : 0, share ? team_size : 1);
    bool const keeper = !share || me == 0;
    for (index r = share ? 0 : me; r < rows; r += share ? 1 : team_size) {
      if (!is_valid(options, r)) {
        if (keeper && !add) target.clear(r, 0);
        continue;
      }
      index const n = valid_classes_of(options, r, classes);
      if (keeper) {
        if (need.student_panel) read_panel(first, r, 1, n, own.student_panel.data(), n);
        if (need.teacher_panel) read_panel(second, r, 1, n, own.teacher_panel.data(), n);
      }
      if (share) wait_for_workers();
      T const* const a = need.student_panel ? own.student_panel.data() : first.direct(r);
      T const* const b = need.teacher_panel ? own.teacher_panel.data()
                         : need.teacher     ? second.direct(r)
                                            : nullptr;
      T* const out = need.student_gradient_panel ? own.student_results() : target.direct(r);
      bool const good = body(team, r, n, a, b, out, own, keeper);
      if (keeper && !good) {
        ++bad;
        index seen = first_bad;
        while (r < seen && !first_bad.compare_exchange_weak(seen, r)) {
        }
      } else if (keeper) {
        if (need.student_gradient_panel) {
          if (scale != 1) {
            for (index k = 0; k < n; ++k) out[k] = T(out[k] * T(scale));
          }
          write_panel(target, r, 1, n, out, n, add);
        }
        if (!add) target.clear(r, n);
      }
      if (share) wait_for_workers();
    }
  });
  return {bad.load(), first_bad.load()};
}

}  // namespace DIVOT_ABI
}  // namespace divot
