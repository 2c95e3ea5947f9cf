// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/scratch.hpp>
#include <divot/row/diagnostics_row.hpp>
#include <divot/row/task.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// Rows read or written together where a matrix does not hold rows contiguously.
inline constexpr index panel_rows = 16;

/// What a call's rows need of scratch memory.
struct memory_needs {
  bool teacher = false, student_gradient = false, teacher_gradient = false, partial = false;
  bool teacher_panel = false, student_panel = false;
  bool student_gradient_panel = false, teacher_gradient_panel = false;
  bool teacher_stays = false;  // the teacher's exponentials are read after the divergence sweep
  index panel = 1;             // rows a panel
  index reduced = 0;           // classes of a shorter row that stands for the whole one; 0: none
  index spare = 0;             // rows that operands take to be read or pulled back
  bool diagnostics = false;
};

/// The scratch memory of one worker (or of a team that shares a row).
template <class Team>
struct row_memory {
  using T = typename Team::scalar;
  using row = typename Team::row;

  row_array<T> teacher_exponentials, student_exponentials, student_weights, teacher_weights;
  row_array<T> student_partial, teacher_partial;
  row_array<T> teacher_panel, student_panel, student_gradient_panel, teacher_gradient_panel;
  row_array<T> spare;
  row_array<T> diagnostics;  // four rows
  row_array<softmax_block<row>> teacher_blocks, student_blocks;
  row_array<sweep_block<row>> sweep_blocks;
  row_array<diagnostics_sums<row>> diagnostics_blocks;
  row_array<std::byte> reduced;
  workspace* again = nullptr;  // where rows are done again; null: in memory of their own

  void take(scratch& memory, index classes, memory_needs const& needs) {
    index const lanes = Team::width;
    index const padded = (classes + lanes - 1) / lanes * lanes;
    index const one = Team::across ? padded * lanes : padded;
    index const panel = Team::across ? one : one * needs.panel;
    index const blocks = block_count<Team>(classes);
    student_exponentials.take(memory, one);
    student_blocks.take(memory, blocks);
    sweep_blocks.take(memory, blocks);
    if (needs.teacher) {
      teacher_exponentials.take(memory, one);
      teacher_blocks.take(memory, blocks);
    }
    if (needs.student_gradient && !shares_weights(needs)) student_weights.take(memory, one);
    if (needs.teacher_gradient) teacher_weights.take(memory, one);
    if (needs.partial && needs.student_gradient) student_partial.take(memory, one);
    if (needs.partial && needs.teacher_gradient) teacher_partial.take(memory, one);
    if (needs.teacher_panel) teacher_panel.take(memory, panel);
    if (needs.student_panel) student_panel.take(memory, panel);
    if (needs.student_gradient_panel && !needs.student_panel) {
      student_gradient_panel.take(memory, panel);
    }
    if (needs.teacher_gradient_panel && !needs.teacher_panel) {
      teacher_gradient_panel.take(memory, panel);
    }
    if (needs.spare > 0) spare.take(memory, padded * needs.spare);
    if (needs.diagnostics) {
      diagnostics.take(memory, 4 * padded);
      diagnostics_blocks.take(memory, blocks);
    }
  }

  /// Room for a shorter row that stands for the whole one.
  void take_room_for(scratch& memory, index shorter_classes) {
    scratch counter;
    row_memory shorter;
    shorter.take_reduced(counter, shorter_classes);
    reduced.take(memory, counter.used());
  }
  /// What that row takes.
  void take_reduced(scratch& memory, index classes) {
    memory_needs needs;
    needs.teacher = needs.teacher_stays = needs.student_gradient = needs.partial = true;
    needs.teacher_panel = needs.student_panel = true;
    take(memory, classes, needs);
  }

  /// Where gradients wait to be copied out: over the copied logits, if there are any.
  T* student_results() const { return or_else(student_gradient_panel, student_panel); }
  T* teacher_results() const { return or_else(teacher_gradient_panel, teacher_panel); }

  /// w̃ may overwrite the teacher's exponentials, class by class, where nothing reads them later.
  static bool shares_weights(memory_needs const& needs) {
    return needs.teacher && !needs.teacher_gradient && !needs.teacher_stays;
  }

  void lend(row_task<Team>& task) const {
    task.teacher_exponentials = teacher_exponentials.data();
    task.student_exponentials = student_exponentials.data();
    task.student_weights = or_else(student_weights, teacher_exponentials);
    task.teacher_weights = teacher_weights.data();
    task.student_partial = student_partial.data();
    task.teacher_partial = teacher_partial.data();
    task.teacher_blocks = teacher_blocks.data();
    task.student_blocks = student_blocks.data();
    task.sweep_blocks = sweep_blocks.data();
    task.reduced = reduced.data();
  }

 private:
  static T* or_else(row_array<T> const& first, row_array<T> const& second) {
    return first.data() != nullptr ? first.data() : second.data();
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
