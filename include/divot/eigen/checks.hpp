// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/options.hpp>
#include <divot/eigen/targets.hpp>
#include <divot/family/loss_facts.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace divot {
inline namespace DIVOT_ABI {

/// The memory a matrix covers, in bytes, and its layout: for overlap checks.
struct memory_span {
  std::uintptr_t first = 0, last = 0;  // last: one past the end
  index row_bytes = 0, col_bytes = 0, width = 0, rows = 0, cols = 0;
  bool known = false;
};

template <class S>
memory_span span_of(matrix_ref<S> const& m) {
  memory_span s;
  if (m.rows <= 0 || m.cols <= 0 || m.data == nullptr) return s;
  auto const at = reinterpret_cast<std::uintptr_t>(m.data);
  auto const size = static_cast<index>(sizeof(S));
  index const row_end = (m.rows - 1) * m.row_stride, col_end = (m.cols - 1) * m.col_stride;
  index const low = std::min<index>(0, row_end) + std::min<index>(0, col_end);
  index const high = std::max<index>(0, row_end) + std::max<index>(0, col_end);
  s.first = at + static_cast<std::uintptr_t>(low * size);
  s.last = at + static_cast<std::uintptr_t>((high + 1) * size);
  s.row_bytes = m.row_stride * size;
  s.col_bytes = m.col_stride * size;
  s.width = m.cols * size;
  s.rows = m.rows;
  s.cols = m.cols;
  s.known = true;
  return s;
}

/// Whether two matrices share an element (where strides differ: whether their ranges meet).
inline bool overlap(memory_span const& a, memory_span const& b) {
  if (!a.known || !b.known || a.last <= b.first || b.last <= a.first) return false;
  // blocks of one row-major (or column-major) matrix, side by side
  if (a.row_bytes == b.row_bytes && a.col_bytes == b.col_bytes) {
    bool const by_rows = a.row_bytes >= a.col_bytes;
    auto const outer = static_cast<std::uintptr_t>(by_rows ? a.row_bytes : a.col_bytes);
    auto const inner = static_cast<std::uintptr_t>(by_rows ? a.col_bytes : a.row_bytes);
    auto const extent = [&](memory_span const& s) {
      auto const n = static_cast<std::uintptr_t>(by_rows ? s.cols : s.rows);
      return (n - 1) * inner + static_cast<std::uintptr_t>(s.width / s.cols);
    };
    if (outer == 0) return true;
    auto const gap = a.first <= b.first ? (b.first - a.first) % outer
                                        : (outer - (a.first - b.first) % outer) % outer;
    return !(gap >= extent(a) && gap + extent(b) <= outer);
  }
  return true;
}

/// The same elements in the same places.
inline bool in_place(memory_span const& a, memory_span const& b) {
  return a.known && b.known && a.first == b.first && a.row_bytes == b.row_bytes &&
         a.col_bytes == b.col_bytes && a.width == b.width && a.rows == b.rows;
}

/// The span of an operand's matrix; unknown for expressions.
template <class X>
memory_span operand_span(X const& x) {
  if constexpr (is_matrix_ref<X>) {
    return span_of(x);
  } else if constexpr (has_memory<X>()) {
    return span_of(view_of<storage_t<X> const>(x));
  } else {
    return {};
  }
}

/// A map of nothing is an error that would otherwise be a crash.
template <class X>
void check_not_null(X const& x, char const* who) {
  if constexpr (is_matrix_ref<X>) {
    if (x.data == nullptr && x.rows > 0 && x.cols > 0) fail(who, ": the data pointer is null");
    if (x.rows < 0 || x.cols < 0) fail(who, " is ", x.rows, "×", x.cols, ": negative size");
  } else if constexpr (has_memory<X>()) {
    if (x.data() == nullptr && x.size() > 0) fail(who, ": the data pointer is null");
  }
}

inline void check_temperature(double t, char const* who) {
  if (!(t > 0) || !std::isfinite(t)) {
    fail(who, ": the temperature is ", t, "; it must be positive and finite");
  }
}

template <class Span>
void check_length(Span const& s, index rows, char const* what) {
  if (!s.empty() && static_cast<index>(s.size()) != rows) {
    fail("batch::", what, " has ", s.size(), " entries for ", rows, " rows");
  }
}

inline void check_all(std::span<double const> values, char const* what, bool positive) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]) || (positive && !(values[i] > 0))) {
      fail("batch::", what, "[", i, "] is ", values[i],
           positive ? "; it must be positive and finite" : "; it must be finite");
    }
  }
}

/// Everything in a batch that does not depend on the operands' values.
inline void check_batch(batch const& b, index rows, index most_classes) {
  check_length(b.weights, rows, "weights");
  check_length(b.upstream, rows, "upstream");
  check_length(b.mask, rows, "mask");
  check_length(b.labels, rows, "labels");
  check_length(b.valid_classes_per_row, rows, "valid_classes_per_row");
  check_length(b.temperatures, rows, "temperatures");
  check_length(b.per_row, rows, "per_row");
  check_all(b.weights, "weights", false);
  check_all(b.upstream, "upstream", false);
  check_all(b.temperatures, "temperatures", true);
  if (b.normaliser != 0 && !(b.normaliser > 0 && std::isfinite(b.normaliser))) {
    fail("batch::normaliser is ", b.normaliser, "; it must be positive and finite (0: none)");
  }
  if (b.valid_classes < 0 || b.valid_classes > most_classes) {
    fail("batch::valid_classes is ", b.valid_classes, "; it must lie between 1 and ", most_classes,
         " (0: all)");
  }
  for (std::size_t i = 0; i < b.valid_classes_per_row.size(); ++i) {
    index const n = b.valid_classes_per_row[i];
    if (n < 1 || n > most_classes) {
      fail("batch::valid_classes_per_row[", i, "] is ", n, "; it must lie between 1 and ",
           most_classes);
    }
  }
}

/// The number of valid classes: the caller's, or the common column count.
inline index settle_classes(batch const& b, index teacher_cols, index student_cols) {
  if (!b.valid_classes_per_row.empty()) {
    return std::max<index>(
        1, *std::max_element(b.valid_classes_per_row.begin(), b.valid_classes_per_row.end()));
  }
  if (b.valid_classes > 0) return b.valid_classes;
  if (teacher_cols != student_cols) {
    fail("the teacher has ", teacher_cols, " columns, the student ", student_cols,
         "; give the number of classes both share as batch::valid_classes");
  }
  return student_cols;
}

/// Teacher and student stand for the same rows; the number of classes that count.
inline index settle_shapes(batch const& b, index teacher_rows, index teacher_cols, index rows,
                           index student_cols) {
  if (teacher_rows != rows) fail("the teacher has ", teacher_rows, " rows, the student ", rows);
  check_batch(b, rows, std::min(teacher_cols, student_cols));
  index const classes = settle_classes(b, teacher_cols, student_cols);
  if (rows > 0 && classes == 0) fail("there are ", rows, " rows and no classes");
  return classes;
}

/// What weights and upstream gradients make of a row's gradient must be a number of T.
template <class T>
void check_factors(batch const& b, index rows, double mean) {
  if (b.weights.empty() && b.upstream.empty()) return;
  for (index r = 0; r < rows; ++r) {
    double const factor = gradient_factor(b, r, mean);
    if (is_valid(b, r) &&
        !(std::abs(factor) <= static_cast<double>(std::numeric_limits<T>::max()))) {
      fail("row ", r, ": weight and upstream gradient multiply its gradient by ", factor,
           ", which is beyond the range of the arithmetic");
    }
  }
}

/// What is written has the shape of what it comes from.
template <class S>
void check_target(gradient_target<S> const& g, index rows, index cols, char const* what,
                  char const* of) {
  if (g.matrix.rows != rows || g.matrix.cols != cols) {
    fail(what, " is ", g.matrix.rows, "×", g.matrix.cols, ", ", of, " ", rows, "×", cols,
         "; they must have the same shape");
  }
  if (g.matrix.data == nullptr && rows > 0 && cols > 0) fail(what, ": the data pointer is null");
}
inline void check_target(no_gradient, index, index, char const*, char const*) {}

/// Gradients may overwrite their own operand, element for element, and nothing else.
template <class Request>
void check_overlap(Request const& request, memory_span const& student, memory_span const& teacher) {
  auto const span = [](auto const& g) {
    if constexpr (is_gradient_target<std::remove_cvref_t<decltype(g)>>) {
      return span_of(g.matrix);
    } else {
      return memory_span{};
    }
  };
  memory_span const to_student = span(request.student_target);
  memory_span const to_teacher = span(request.teacher_target);
  bool const alone = !to_teacher.known && request.temperature_target == nullptr;
  auto const clash = [](memory_span const& a, memory_span const& b, bool may_replace) {
    return overlap(a, b) && !(may_replace && in_place(a, b));
  };
  constexpr char const* remedy =
      " overlap without being the same elements; give the gradient memory of its own";
  if (clash(to_student, student, true)) fail("the student's gradient and the student", remedy);
  if (clash(to_student, teacher, alone)) fail("the student's gradient and the teacher", remedy);
  if (clash(to_teacher, teacher, true)) fail("the teacher's gradient and the teacher", remedy);
  if (clash(to_teacher, student, false)) fail("the teacher's gradient and the student", remedy);
  if (overlap(to_student, to_teacher)) fail("the two gradients overlap");
}

/// Where gradients go: shapes, and memory.
template <class Request>
void check_targets(Request const& request, index rows, index student_cols, index teacher_cols,
                   memory_span const& student, memory_span const& teacher) {
  check_target(request.student_target, rows, student_cols, "the student's gradient", "the student");
  check_target(request.teacher_target, rows, teacher_cols, "the teacher's gradient", "the teacher");
  check_overlap(request, student, teacher);
}

/// The first valid row whose label is no class; −1: none.
template <class Labels>
index first_bad_label(Labels const& labels, batch const& options, index classes) {
  for (index r = 0; r < labels.size(); ++r) {
    if (!is_valid(options, r)) continue;
    if (labels[r] < 0 || labels[r] >= valid_classes_of(options, r, classes)) return r;
  }
  return -1;
}

/// Labels exist where a loss needs them, and lie in range on every valid row.
template <class Labels>
void check_labels(loss_facts const& loss, Labels const& labels, double smoothing,
                  batch const& options, index rows, index classes) {
  if (loss.has_labels && labels.empty() && rows > 0) {
    fail(
        "cross_entropy needs labels: pass labels(y) as the teacher or batch::labels (to a soft "
        "teacher it is soft_cross_entropy)");
  }
  if (loss.smooths_labels && smoothing != 0) {
    fail("label smoothing is given twice: by labels(y, ", smoothing,
         ") and by cross_entropy's own");
  }
  index const bad = first_bad_label(labels, options, classes);
  if (bad >= 0) {
    fail("the label of row ", bad, " is ", labels[bad], "; it must lie between 0 and ",
         valid_classes_of(options, bad, classes) - 1, " (rows can be left out with batch::mask)");
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
