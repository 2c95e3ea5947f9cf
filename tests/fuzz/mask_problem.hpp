// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <fuzz/check.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fuzz {

/// A problem in which classes are left out, of the student's rows and, perhaps, of the teacher's.
template <class T>
struct mask_problem : problem<T> {
  using base = problem<T>;
  using base::classes, base::counts, base::infinite, base::is_bad, base::place, base::rows,
      base::student, base::teacher, base::valid;

  bool of_teacher = true;
  std::vector<std::uint8_t> keep;  // classes, the same for all rows

  explicit mask_problem(bits& from) : base(from), keep(classes) {
    of_teacher = from.flag();
    auto const seldom = 1 + from.byte() % 8;
    for (auto& k : keep) k = from.byte() % seldom != 0 || seldom == 1;
    keep[0] = 1;  // a mask that leaves nothing of a row is refused
    this->operands = of_teacher ? "masked logits" : "masked logits (student)";
  }

  template <class Matrix, class Use>
  void with_operands(Matrix const& t, Matrix const& s, Use const& use) const {
    auto const pupil = divot::logits(s, this->student_temperature).mask(keep);
    if (of_teacher) {
      use(divot::logits(t, this->teacher_temperature).mask(keep), pupil);
    } else {
      use(divot::logits(t, this->teacher_temperature), pupil);
    }
  }

  /// Numbers that are left out must be numbers still.
  bool is_bad(std::size_t row, bool has_teacher) const {
    if (base::is_bad(row, has_teacher)) return true;
    return counts(row) &&
           ((has_teacher && of_teacher && is_empty(teacher, row)) || is_empty(student, row));
  }

 private:
  bool is_empty(std::vector<T> const& x, std::size_t row) const {
    for (std::size_t k = 0; k < valid(row); ++k) {
      if (keep[k] != 0 && x[place(row, k)] != -infinite) return false;
    }
    return true;
  }
};

}  // namespace fuzz
