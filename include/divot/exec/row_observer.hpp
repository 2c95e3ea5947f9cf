// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/row_memory.hpp>
#include <divot/row/diagnostics_row.hpp>
#include <divot/row/operand.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// Nobody asks for diagnostics.
struct no_observer {
  static constexpr bool wanted = false;
  static constexpr bool wants_log_ratio() { return false; }
  void skip(index) const {}
};

/// Takes a call's diagnostics, row by row, to where the caller wants them. Rows may come from
/// several workers, each row from one.
template <class T, class S>
class row_observer {
 public:
  static constexpr bool wanted = true;

  row_observer(diagnostics<S>& asked, index rows)
      : asked_(&asked),
        own_(asked.per_row.empty() ? static_cast<std::size_t>(rows) : 0),
        rows_(own_.empty() ? asked.per_row.data() : own_.data()),
        count_(own_.empty() ? asked.per_row.size() : own_.size()) {}

  bool wants_log_ratio() const { return has(asked_->log_ratio); }

  /// The work on a row, in a worker's memory of which rows are `step` apart.
  template <class Team>
  diagnostics_task<Team> task(row_memory<Team> const& memory, index step) const {
    T* const arrays = memory.diagnostics.data();
    diagnostics_task<Team> to;
    to.head = asked_->head;
    to.alpha = asked_->alpha;
    to.beta = asked_->beta;
    to.blocks = memory.diagnostics_blocks.data();
    to.ordered = arrays;
    if (has(asked_->log_ratio)) to.student = arrays + step;
    if (has(asked_->hardness)) to.hardness = arrays + 2 * step;
    if (has(asked_->confidence)) to.confidence = arrays + 3 * step;
    return to;
  }

  template <class Team>
  void take(index r, index classes, row_diagnostics const& found,
            diagnostics_task<Team> const& from) const {
    rows_[static_cast<std::size_t>(r)] = found;
    give(asked_->hardness, r, classes, from.hardness);
    give(asked_->confidence, r, classes, from.confidence);
  }

  /// With the row's gradient known: `student` is q, and is spent.
  template <class Team>
  void take_step(index r, index classes, T const* gradient, double temperature, T* student) const {
    if (student == nullptr) return;
    log_ratio_of_step<Team>(gradient, classes, temperature, student);
    give(asked_->log_ratio, r, classes, student);
  }

  /// A masked row.
  void skip(index r) const {
    rows_[static_cast<std::size_t>(r)] = {};
    for (auto const& m : {asked_->log_ratio, asked_->hardness, asked_->confidence}) {
      if (has(m)) strided_target<T, S>(m).clear(r, 0);
    }
  }

  /// The means, added up in the order of the rows.
  void finish(index valid_rows) const {
    row_diagnostics total;
    for (std::size_t i = 0; i < count_; ++i) {
      for (auto const field : fields) total.*field += rows_[i].*field;
    }
    for (auto const field : fields) {
      total.*field /= static_cast<double>(std::max<index>(valid_rows, 1));
    }
    asked_->mean = total;
  }

 private:
  static constexpr std::array fields{
      &row_diagnostics::teacher_entropy,  &row_diagnostics::student_entropy,
      &row_diagnostics::cross_entropy,    &row_diagnostics::agreement,
      &row_diagnostics::teacher_on_label, &row_diagnostics::student_on_label,
      &row_diagnostics::teacher_head,     &row_diagnostics::teacher_tail,
      &row_diagnostics::student_head,     &row_diagnostics::student_tail};

  static bool has(matrix_ref<S> const& m) { return m.data != nullptr; }
  static void give(matrix_ref<S> const& m, index r, index classes, T const* from) {
    if (from == nullptr) return;
    strided_target<T, S> const target(m);
    target.write(r, classes, from, 1, false);
    target.clear(r, classes);
  }

  diagnostics<S>* asked_;
  std::vector<row_diagnostics> own_;
  row_diagnostics* rows_;
  std::size_t count_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
