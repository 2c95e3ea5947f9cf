// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/divot.hpp>
#include <fuzz/bits.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace fuzz {

/// A call's operands and options, from the fuzzer's bytes: logits. Other operands are made of them.
template <class T>
struct problem {
  using number = T;
  static constexpr T infinite = std::numeric_limits<T>::infinity();

  bool legal = true;  // no NaN, no +inf, no row that is −inf throughout
  bool column_major = false, in_place = false, accumulate = false;
  bool check_first = false;  // divot::check::first
  std::size_t rows = 1, classes = 1, valid_classes = 0;
  double teacher_temperature = 1, student_temperature = 1;
  std::vector<T> teacher, student;
  std::vector<std::uint8_t> mask;
  std::vector<double> weights, upstream, temperatures;
  std::vector<divot::index> valid_per_row;
  std::vector<std::int64_t> labels;  // for the losses that look at them
  std::string operands = "logits";

  explicit problem(bits& from) {
    auto const options = from.byte();
    legal = (options & 7) != 7;
    column_major = (options & 8) != 0;
    in_place = (options & 16) != 0;
    accumulate = !in_place && (options & 32) != 0;
    check_first = (options & 64) != 0;
    // mostly small, or few inputs a second are tried
    rows = 1 + from.below(from.byte() % 8 == 0 ? 40 : 4);
    classes = 1 + from.below(from.byte() % 4 == 0 ? 300 : 20);
    auto const some = from.byte() % 8;
    if (some < 2) valid_classes = 1 + from.below(classes);
    for (std::size_t i = 0; some == 2 && i < rows; ++i) {
      valid_per_row.push_back(static_cast<divot::index>(1 + from.below(classes)));
    }
    if (from.flag()) {
      teacher_temperature = from.between(1e-3, 1e3);
      student_temperature = from.flag() ? teacher_temperature : from.between(1e-3, 1e3);
    }
    if (from.byte() % 4 == 0) {
      for (std::size_t i = 0; i < rows; ++i) mask.push_back(from.byte() % 3);
    }
    if (from.byte() % 4 == 0) {
      for (std::size_t i = 0; i < rows; ++i) weights.push_back(from.between(0, 1e6));
    }
    if (from.byte() % 8 == 0) {
      for (std::size_t i = 0; i < rows; ++i) upstream.push_back(from.between(-1e6, 1e6));
    }
    if (from.byte() % 8 == 0) {
      for (std::size_t i = 0; i < rows; ++i) temperatures.push_back(from.between(1e-3, 1e3));
    }
    fill(from);
    for (std::size_t i = 0; i < rows; ++i) {
      labels.push_back(static_cast<std::int64_t>(from.below(valid(i))));
    }
  }

  std::size_t place(std::size_t row, std::size_t k) const {
    return column_major ? k * rows + row : row * classes + k;
  }
  bool counts(std::size_t row) const { return mask.empty() || mask[row] != 0; }
  double weight(std::size_t row) const { return weights.empty() ? 1 : weights[row]; }
  std::size_t valid(std::size_t row) const {
    if (!valid_per_row.empty()) return static_cast<std::size_t>(valid_per_row[row]);
    return valid_classes == 0 ? classes : valid_classes;
  }

  /// Calls use(teacher, student) with the operands that these matrices stand for.
  template <class Matrix, class Use>
  void with_operands(Matrix const& t, Matrix const& s, Use const& use) const {
    use(divot::logits(t, teacher_temperature), divot::logits(s, student_temperature));
  }

  /// Whether a call that is refused has written nothing.
  bool all_or_nothing() const { return check_first; }
  /// Whether a call must refuse this row.
  bool is_bad(std::size_t row, bool has_teacher) const {
    return counts(row) && ((has_teacher && is_bad(teacher, row)) || is_bad(student, row));
  }

 protected:
  bool is_bad(std::vector<T> const& x, std::size_t row) const {
    bool any = false;
    for (std::size_t k = 0; k < valid(row); ++k) {
      T const logit = x[place(row, k)];
      if (std::isnan(logit) || logit == infinite) return true;
      any = any || logit != -infinite;
    }
    return !any;
  }

 private:
  // Any bits are mostly numbers far outside the range of exp: half of the problems have logits of
  // a scale, a quarter a student close to its teacher.
  void fill(bits& from) {
    auto const kind = from.byte() % 8;
    double const scale = std::ldexp(1., static_cast<int>(from.byte() % 16) - 6);
    double const distance = std::ldexp(1., -static_cast<int>(from.byte() % 60));
    auto const absent = from.byte();  // one class in so many is −inf
    auto const ordinary = [&] {
      return static_cast<T>(scale * (from.any<std::int16_t>() / 8192.));
    };
    teacher.resize(rows * classes);
    student.resize(rows * classes);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < classes; ++k) {
        T& t = teacher[place(i, k)];
        T& s = student[place(i, k)];
        t = kind < 4 || (kind == 4 && from.byte() % 8 != 0) ? ordinary() : from.any<T>();
        if (kind < 2) {
          s = t + static_cast<T>(distance * (from.any<std::int8_t>() / 64.));
        } else {
          s = kind < 5 ? ordinary() : from.any<T>();
        }
        if (absent >= 128 && from.byte() % (absent - 126U) == 0) (from.flag() ? t : s) = -infinite;
        if (legal) {
          t = sanitised(t);
          s = sanitised(s);
        }
      }
      if (legal) {
        keep_one(teacher, i);
        keep_one(student, i);
      }
    }
  }

  static T sanitised(T x) {
    return std::isnan(x) ? T(0) : x == infinite ? std::numeric_limits<T>::max() : x;
  }
  void keep_one(std::vector<T>& x, std::size_t row) const {
    if (is_bad(x, row)) x[place(row, row % valid(row))] = T(1);
  }
};

}  // namespace fuzz
