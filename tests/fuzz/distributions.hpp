// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <fuzz/check.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace fuzz {

/// A problem whose teacher, student or both are probabilities (Logs: their logarithms).
template <class T, bool Logs>
struct distributions : problem<T> {
  using base = problem<T>;
  using base::counts, base::infinite, base::place, base::student, base::teacher, base::valid;
  static constexpr double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;

  bool of_teacher = true, of_student = true;

  explicit distributions(bits& from) : base(from) {
    auto const sides = from.byte() % 3;
    of_teacher = sides != 0;
    of_student = sides != 1;
    if (of_teacher && of_student) this->temperatures.clear();  // there is nothing to be divided
    if (of_teacher) distribute(from, teacher);
    if (of_student) distribute(from, student);
    this->operands = Logs ? "log-probabilities" : "probabilities";
    this->operands += sides == 0 ? " (student)" : sides == 1 ? " (teacher)" : "";
  }

  template <class Matrix, class Use>
  void with_operands(Matrix const& t, Matrix const& s, Use const& use) const {
    if (!of_teacher) {
      use(divot::logits(t, this->teacher_temperature), wrapped(s));
    } else if (!of_student) {
      use(wrapped(t), divot::logits(s, this->student_temperature));
    } else {
      use(wrapped(t), wrapped(s));
    }
  }

  bool is_bad(std::size_t row, bool has_teacher) const {
    auto const of = [&](std::vector<T> const& x, bool distribution) {
      return distribution ? !(off(x, row) <= tolerance) : base::is_bad(x, row);
    };
    return counts(row) && ((has_teacher && of(teacher, of_teacher)) || of(student, of_student));
  }

 private:
  template <class Matrix>
  static auto wrapped(Matrix const& x) {
    if constexpr (Logs) {
      return divot::log_probabilities(x);
    } else {
      return divot::probabilities(x);
    }
  }

  /// How far a row's sum is from 1; NaN where it is no distribution at all.
  double off(std::vector<T> const& x, std::size_t row) const {
    double total = 0;
    for (std::size_t k = 0; k < valid(row); ++k) {
      auto const v = static_cast<double>(x[place(row, k)]);
      if (Logs ? std::isnan(v) : !(v >= 0)) return std::numeric_limits<double>::quiet_NaN();
      total += Logs ? std::exp(v) : v;
    }
    return std::abs(total - 1);
  }

  /// Logits become what they stand for, not quite normalised; rows that are bad stay so, and a row
  /// may become bad where the problem is not to be legal.
  void distribute(bits& from, std::vector<T>& x) {
    auto const how = from.byte();
    for (std::size_t i = 0; i < this->rows; ++i) {
      if (base::is_bad(x, i)) continue;
      std::size_t const n = valid(i);
      long double max = -std::numeric_limits<long double>::infinity(), sum = 0;
      for (std::size_t k = 0; k < n; ++k) {
        max = std::max(max, static_cast<long double>(x[place(i, k)]));
      }
      for (std::size_t k = 0; k < n; ++k) {
        sum += std::exp(static_cast<long double>(x[place(i, k)]) - max);
      }
      // half the tolerance at most, or nothing
      long double const excess = how < 128 ? 0 : tolerance / 300 * from.any<std::int8_t>();
      for (std::size_t k = 0; k < n; ++k) {
        T& v = x[place(i, k)];
        long double const log_p = static_cast<long double>(v) - max - std::log(sum);
        v = static_cast<T>(Logs ? log_p + excess : std::exp(log_p) * (1 + excess));
        if (!this->legal && from.byte() % 32 == 0) v = from.any<T>();
      }
      // neither answer would be wrong
      double const far = off(x, i) / tolerance;
      if (far > .9 && far < 1.1) {
        for (std::size_t k = 0; k < n; ++k) {
          x[place(i, k)] = Logs ? (k == 0 ? T(0) : -infinite) : (k == 0 ? T(1) : T(0));
        }
      }
    }
  }
};

template <class T>
using probabilities = distributions<T, false>;
template <class T>
using log_probabilities = distributions<T, true>;

}  // namespace fuzz
