// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Matrices in memory of every layout, and problems made of them.

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <accuracy/samples.hpp>

#include <parity/parity.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace parity {

using divot::index;

/// Where the elements of a matrix stand; strides of 0 mean the smallest without overlap.
struct layout {
  char const* name = "dense, row-major";
  index first = 0;  // elements between the allocation's start and the matrix
  bool by_rows = true;
  index gap = 0;   // elements between two rows (columns)
  index step = 1;  // distance of neighbours in a row (column)
  bool upside_down = false;
};

inline constexpr layout dense{};
inline constexpr layout layouts[] = {
    {"rows one element off every alignment", 1},
    {"rows with a gap of 3", 0, true, 3},
    {"every third element, odd gaps", 2, true, 5, 3},
    {"rows from the last to the first", 0, true, 1, 1, true},
    {"dense, column-major", 0, false},
    {"columns with a gap, unaligned", 3, false, 7},
    {"column-major, every second element", 0, false, 1, 2},
};

/// A matrix of some layout whose surroundings are watched.
template <class T>
class grid {
 public:
  grid(index rows, index cols, layout const& l) : rows_(rows), cols_(cols), l_(l) {
    index const inner = l.by_rows ? cols : rows, outer = l.by_rows ? rows : cols;
    index const line = inner * l.step + l.gap;
    cells_.assign(static_cast<std::size_t>(l.first + outer * line + 5), untouched);
    index const row_step = l.by_rows ? line : l.step, col_step = l.by_rows ? l.step : line;
    index const base = l.first + (l.upside_down ? (rows - 1) * row_step : 0);
    view_ = {cells_.data() + base, rows, cols, l.upside_down ? -row_step : row_step, col_step};
  }
  grid(index rows, index cols, layout const& l, std::vector<T> const& row_major)
      : grid(rows, cols, l) {
    for (index r = 0; r < rows; ++r) {
      for (index k = 0; k < cols; ++k) at(r, k) = row_major[static_cast<std::size_t>(r * cols + k)];
    }
  }
  grid(grid const&) = delete;

  divot::matrix_ref<T> view() const { return view_; }
  divot::matrix_ref<T const> input() const {
    return {view_.data, rows_, cols_, view_.row_stride, view_.col_stride};
  }
  T& at(index r, index k) const { return view_.data[r * view_.row_stride + k * view_.col_stride]; }
  std::vector<T> row_major() const {
    std::vector<T> out;
    for (index r = 0; r < rows_; ++r) {
      for (index k = 0; k < cols_; ++k) out.push_back(at(r, k));
    }
    return out;
  }
  /// Nothing but the matrix itself was ever written.
  bool surroundings_untouched() const {
    auto const inside = static_cast<std::size_t>(rows_ * cols_);
    std::size_t same = 0;
    for (T const v : cells_) same += v == untouched;
    return same == cells_.size() - inside;
  }

 private:
  static constexpr T untouched = T(-12345.5);
  index rows_, cols_;
  layout l_;
  std::vector<T> cells_;
  divot::matrix_ref<T> view_;
};

/// A batch of logits with labels.
template <class T>
struct problem {
  index rows = 0, cols = 0;
  std::vector<T> teacher, student;
  std::vector<std::int64_t> labels;
  double teacher_temperature = 1, student_temperature = 1;

  problem(std::uint64_t seed, index r, index c, double scale = 3, double tt = 1, double ts = 1)
      : rows(r), cols(c), teacher_temperature(tt), student_temperature(ts) {
    samples::random random(seed);
    auto const n = static_cast<std::size_t>(rows * cols);
    teacher = samples::logits<T>(random, n, scale);
    student = samples::logits<T>(random, n, scale);
    for (index i = 0; i < rows; ++i) {
      labels.push_back(static_cast<std::int64_t>(random.bits() % static_cast<std::uint64_t>(cols)));
    }
  }
};

enum class wanted { student, both };

/// Everything a call wrote, row-major.
template <class T>
struct outcome {
  answer<T> result;
  std::vector<double> per_row;
  std::vector<T> student, teacher;

  bool operator==(outcome const&) const = default;
};

struct how {
  layout operands = dense, targets = dense;
  bool in_place = false;
  std::optional<double> accumulate = {};  // the scale
  divot::batch options = {};
};

/// Numbers for gradients to be added to.
template <class T>
std::vector<T> earlier_gradient(std::size_t n) {
  std::vector<T> x(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = static_cast<T>(1e-3 * std::sin(static_cast<double>(i % 4099)));
  }
  return x;
}

template <class T>
outcome<T> solve(policy const& p, loss what, problem<T> const& given, wanted want = wanted::both,
                 how const& options = {}) {
  grid<T> const t(given.rows, given.cols, options.operands, given.teacher);
  grid<T> const s(given.rows, given.cols, options.operands, given.student);
  auto const before = options.accumulate ? earlier_gradient<T>(given.student.size())
                                         : std::vector<T>(given.student.size(), T(99));
  grid<T> const g(given.rows, given.cols, options.targets, before);
  grid<T> const h(given.rows, given.cols, options.targets, before);
  bool const both = want == wanted::both;
  bool const in_place = options.in_place;
  outcome<T> out;
  out.per_row.assign(static_cast<std::size_t>(given.rows), -1);
  call<T> c{t.input(), s.input()};
  c.student_gradient = in_place ? s.view() : g.view();
  if (both) c.teacher_gradient = in_place ? t.view() : h.view();
  c.teacher_temperature = given.teacher_temperature;
  c.student_temperature = given.student_temperature;
  c.accumulate = options.accumulate.has_value();
  c.scale = options.accumulate.value_or(1);
  c.options = options.options;
  c.options.per_row = out.per_row;
  if (what == loss::mixture) c.options.labels = given.labels;
  out.result = run(p, what, c);
  out.student = (in_place ? s : g).row_major();
  if (both) out.teacher = (in_place ? t : h).row_major();
  CHECK(t.surroundings_untouched());
  CHECK(s.surroundings_untouched());
  CHECK(g.surroundings_untouched());
  CHECK(h.surroundings_untouched());
  return out;
}

/// |a − b| / |b| of each row in the Euclidean norm; the largest.
template <class T>
double row_error(std::vector<T> const& a, std::vector<T> const& b, index rows, index cols) {
  double worst = 0;
  for (index r = 0; r < rows; ++r) {
    double difference = 0, size = 0;
    for (index k = 0; k < cols; ++k) {
      auto const i = static_cast<std::size_t>(r * cols + k);
      double const d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
      difference += d * d;
      size += static_cast<double>(b[i]) * static_cast<double>(b[i]);
    }
    if (difference == 0) continue;
    if (size < budget::smallest<T> * budget::smallest<T>) continue;
    worst = std::max(worst, std::sqrt(difference / size));
  }
  return worst;
}

/// The largest difference, over the largest number.
template <class A, class B>
double off(std::vector<A> const& x, std::vector<B> const& right) {
  double most = 0, error = 0;
  for (std::size_t k = 0; k < right.size(); ++k) {
    most = std::max(most, std::abs(static_cast<double>(right[k])));
    error = std::max(error, std::abs(static_cast<double>(x[k]) - static_cast<double>(right[k])));
  }
  return most > 0 ? error / most : error;
}

/// Two outcomes that each keep the budget differ by twice the budget at most.
template <class T>
void agree(loss what, outcome<T> const& got, outcome<T> const& right, problem<T> const& given) {
  auto const bound =
      budget::held(name(what), budget::situation::confident, std::is_same_v<T, float>);
  double total = 0;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < right.per_row.size(); ++i) {
    double const size = std::abs(right.per_row[i]);
    wrong += !(std::abs(got.per_row[i] - right.per_row[i]) <= 2 * bound.loss * size);
    total += size;
  }
  CHECK(wrong == 0);
  CHECK(got.result.valid_rows == right.result.valid_rows);
  CHECK(std::abs(static_cast<double>(got.result.value - right.result.value)) <=
        2 * bound.loss * total);
  CHECK(row_error(got.student, right.student, given.rows, given.cols) <= 2 * bound.gradient);
  if (right.teacher.empty()) return;
  CHECK(row_error(got.teacher, right.teacher, given.rows, given.cols) <= 2 * bound.gradient);
  // dD/dT is a sum over logit · gradient, which may cancel
  auto const magnitude = [](std::vector<T> const& x, std::vector<T> const& g) {
    double sum = 0, largest = 0;
    for (T const v : g) sum += std::abs(static_cast<double>(v));
    for (T const v : x) largest = std::max(largest, std::abs(static_cast<double>(v)));
    return 2 * largest * sum;
  };
  CHECK(std::abs(got.result.student_temperature - right.result.student_temperature) <=
        2 * bound.loss * magnitude(given.student, right.student));
  CHECK(std::abs(got.result.teacher_temperature - right.result.teacher_temperature) <=
        2 * bound.loss * magnitude(given.teacher, right.teacher));
}

}  // namespace parity
