// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <fuzz/check.hpp>

#include <array>
#include <cstddef>
#include <vector>

namespace fuzz {

/// A problem whose teacher is a mixture of two: its own, and one that is close to the student or
/// has the classes the other way round.
template <class T>
struct mixture_problem : problem<T> {
  using base = problem<T>;
  using base::classes, base::counts, base::is_bad, base::place, base::rows, base::student,
      base::teacher, base::valid;

  std::vector<T> second;
  std::array<double, 2> shares{};
  double second_temperature = 1;

  explicit mixture_problem(bits& from) : base(from), second(student) {
    auto const how = from.byte();
    shares[0] = from.between(0, 1);
    if ((how & 1) != 0) shares[0] = from.between(2.3e-308, 1e-6);
    shares[1] = 1 - shares[0];
    if ((how & 2) != 0) std::swap(shares[0], shares[1]);
    second_temperature = (how & 4) != 0 ? this->student_temperature : from.between(1e-3, 1e3);
    for (std::size_t i = 0; (how & 8) != 0 && i < rows; ++i) {
      std::size_t const n = valid(i);
      for (std::size_t k = 0; k < n; ++k) second[place(i, k)] = teacher[place(i, n - 1 - k)];
    }
    this->operands = named("a mixture of teachers", shares[0], second_temperature);
  }

  template <class Matrix, class Use>
  void with_operands(Matrix const& t, Matrix const& s, Use const& use) const {
    Matrix const other(second.data(), t.rows, t.cols, t.row_stride, t.col_stride);
    use(divot::mixture(divot::logits(t, this->teacher_temperature),
                       divot::logits(other, second_temperature), shares),
        divot::logits(s, this->student_temperature));
  }

  bool is_bad(std::size_t row, bool has_teacher) const {
    return base::is_bad(row, has_teacher) ||
           (counts(row) && has_teacher && base::is_bad(second, row));
  }
};

}  // namespace fuzz
