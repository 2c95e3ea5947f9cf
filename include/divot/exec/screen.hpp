// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/options.hpp>
#include <divot/exec/scratch.hpp>
#include <divot/row/operand.hpp>
#include <divot/row/top_k_source.hpp>

#include <optional>
#include <string>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// What is wrong with a row, and where.
struct row_flaw {
  std::string what;
  index column;  // −1: the row as a whole
  double value;
};

/// A scalar as a double; of an automatic differentiation type what comparisons tell.
template <class T>
double plain_number(T const& x) {
  if constexpr (is_real<T>) {
    return static_cast<double>(x);
  } else {
    constexpr double inf = std::numeric_limits<double>::infinity();
    if (x != x) return std::numeric_limits<double>::quiet_NaN();
    return x == T(inf) ? inf : x == T(-inf) ? -inf : 0;
  }
}

/// How far a sum of probabilities is from 1, and how far it may be.
inline std::string how_far(double total, double tolerance) {
  return (message(" (off by ") << std::abs(total - 1) << ", allowed: " << tolerance << ")").text();
}

/// Looks a row over, slowly: for error messages, and for check::first.
template <class T>
DIVOT_COLD std::optional<row_flaw> find_flaw(T const* x, index classes, operand_kind kind,
                                             double tolerance) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  bool const plain = kind == operand_kind::probabilities;
  bool any = false;
  double total = 0;
  for (index k = 0; k < classes; ++k) {
    double const v = plain_number(x[k]);
    if (v != v) return row_flaw{"NaN", k, v};
    if (v == inf) return row_flaw{"+inf", k, v};
    if (plain && v < 0) return row_flaw{"a negative probability", k, v};
    any = any || v != -inf;
    if (kind == operand_kind::log_probabilities) total += std::exp(v);
    if (plain) total += v;
  }
  if (!any) return row_flaw{"every class is -inf", -1, -inf};
  bool const normalised = plain || kind == operand_kind::log_probabilities;
  if (normalised && !(std::abs(total - 1) <= tolerance)) {
    message text(plain ? "the probabilities sum to " : "their exponentials sum to ");
    text.exact(total) << " instead of 1";
    return row_flaw{(text << how_far(total, tolerance)).text(), -1, total};
  }
  return std::nullopt;
}

/// The same for a row of a source; `buffer` holds it if it does not lie in memory as it is.
template <class T, class Source>
DIVOT_COLD std::optional<row_flaw> find_row_flaw(Source const& source, operand_kind kind, index row,
                                                 index classes, T* buffer) {
  if constexpr (requires { source.inner(); }) {
    return find_row_flaw<T>(source.inner(), kind, row, classes, buffer);
  } else if constexpr (requires { source.original(); }) {
    auto flaw = find_row_flaw<T>(source.original(), kind, row, classes, buffer);
    if (flaw) return flaw;
    source.read(row, 1, classes, buffer, classes);
    flaw = find_flaw(buffer, classes, kind, source.tolerance());
    if (flaw) flaw->what += " once the logits are transformed";
    return flaw;
  } else if constexpr (requires { source.name(std::size_t(0)); }) {
    // the first of a mixture's teachers that has one
    std::optional<row_flaw> flaw;
    source.each_teacher([&](auto const& teacher, std::size_t at) {
      if (flaw) return;
      flaw = find_row_flaw<T>(teacher, operand_kind::logits, row, classes, buffer);
      if (flaw) flaw->what.append(" in ").append(source.name(at).text());
    });
    return flaw;
  } else {
    // checked before anything else; a bucket's row has only the classes that are named in it
    if (kind == operand_kind::labels || is_top_k_source<Source>) return std::nullopt;
    T const* x = source.direct(row);
    if (x == nullptr) {
      source.read(row, 1, classes, buffer, classes);
      x = buffer;
    }
    return find_flaw(x, classes, kind, source.tolerance());
  }
}

/// Throws bad_value for a row known to be bad.
template <class T, class TeacherSource, class StudentSource>
[[noreturn]] DIVOT_COLD void report_bad_row(TeacherSource const& teacher, operand_kind teacher_kind,
                                            StudentSource const& student, operand_kind student_kind,
                                            index row, index classes, index count,
                                            bool rest_complete,
                                            char const* student_name = "student") {
  std::string who = "teacher";
  std::vector<T> buffer(static_cast<std::size_t>(classes));
  std::optional<row_flaw> flaw;
  if (teacher.rows() > 0)
    flaw = find_row_flaw<T>(teacher, teacher_kind, row, classes, buffer.data());
  if (!flaw) {
    who = student_name;
    flaw = find_row_flaw<T>(student, student_kind, row, classes, buffer.data());
  }
  if (!flaw) flaw = row_flaw{"not a valid row", -1, 0};
  message text;
  text << who << ", row " << row;
  if (flaw->column >= 0) text << ", column " << flaw->column;
  text << ": " << flaw->what;
  if (flaw->column >= 0 && flaw->value == flaw->value && std::isfinite(flaw->value)) {
    text << " (" << flaw->value << ")";
  }
  if (count > 1) text << "; " << count << " rows are bad";
  text << (rest_complete ? "; all other rows are complete" : "; nothing was written");
  throw bad_value(text.text(), row, flaw->column, flaw->value, count);
}

/// check::first: calls report(first bad row, number of them) if there are any, before anything is
/// written.
template <class T, class TeacherSource, class StudentSource, class Report>
DIVOT_COLD void screen_rows(batch const& options, index classes, TeacherSource const& teacher,
                            operand_kind teacher_kind, StudentSource const& student,
                            operand_kind student_kind, Report const& report) {
  if (options.check != check::first) return;
  scratch memory;
  row_array<T> buffer;
  for (bool const counting : {true, false}) {
    buffer.take(memory, classes);
    if (counting) memory.provide(options.workspace);
  }
  index first_bad = -1, bad = 0;
  for (index r = 0; r < student.rows(); ++r) {
    if (!is_valid(options, r)) continue;
    index const n = valid_classes_of(options, r, classes);
    bool const flawed =
        (teacher.rows() > 0 && find_row_flaw<T>(teacher, teacher_kind, r, n, buffer.data())) ||
        find_row_flaw<T>(student, student_kind, r, n, buffer.data());
    if (!flawed) continue;
    if (first_bad < 0) first_bad = r;
    ++bad;
  }
  if (bad > 0) report(first_bad, bad);
}

}  // namespace DIVOT_ABI
}  // namespace divot
