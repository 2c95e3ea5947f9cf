// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/screen.hpp>
#include <divot/row/top_k_source.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace divot {
inline namespace DIVOT_ABI {

/// What is wrong with a row. `last` holds, for each class, the row that named it last.
template <class Source>
std::optional<row_flaw> find_top_k_flaw(Source const& teacher, index r, index classes,
                                        index* last) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  double const tolerance = teacher.tolerance();
  bool any = false;
  for (index j = 0; j < teacher.named(); ++j) {
    std::int64_t const k = teacher.class_at(r, j);
    if (k < 0 || k >= classes) {
      message text("");
      text << "the index is " << k << "; it must lie between 0 and " << classes - 1;
      return row_flaw{text.text(), j, static_cast<double>(k)};
    }
    if (last[k] == r) {
      message text("");
      text << "the index " << k << " stands there a second time";
      return row_flaw{text.text(), j, static_cast<double>(k)};
    }
    last[k] = r;
    auto const x = static_cast<double>(teacher.log_p(r, j));
    if (x != x) return row_flaw{"NaN", j, x};
    if (x == inf) return row_flaw{"+inf", j, x};
    if (x > tolerance) {
      message text("");
      text << "the log-probability is " << x << "; it must not be positive";
      return row_flaw{text.text(), j, x};
    }
    any = any || x != -inf;
  }
  auto const sum = static_cast<double>(teacher.mass(r));
  auto const sums_to = [&](double total, char const* what, char const* instead) {
    message text("");
    text << what << " to ";
    text.exact(total) << instead << how_far(total, tolerance);
    return row_flaw{text.text(), -1, total};
  };
  if (sum > 1 + tolerance) return sums_to(sum, "the probabilities sum", ", which is more than 1");
  if (teacher.has_log_mass()) {
    auto const rest = static_cast<double>(teacher.log_tail(r));
    if (!(rest <= tolerance)) {
      message text("");
      text << "the log tail mass is " << rest << "; it must not be positive";
      return row_flaw{text.text(), -1, rest};
    }
    double const total = sum + std::exp(rest);
    if (!(std::abs(total - 1) <= tolerance)) {
      return sums_to(total, "probabilities and tail mass sum", " instead of 1");
    }
  }
  if (teacher.what() == tail::renormalise) {
    if (!any) return row_flaw{"every class is -inf", -1, -inf};
  } else if (teacher.named() == classes && sum < 1 - tolerance) {
    return sums_to(sum, "every class is named, but the probabilities sum", " instead of 1");
  }
  return std::nullopt;
}

/// The entries of a top-k teacher on every valid row; other teachers pass.
template <class Source>
void check_top_k(Source const& teacher, batch const& options, index rows, index classes) {
  if constexpr (is_top_k_source<Source>) {
    scratch memory;
    row_array<index> last;
    for (bool const counting : {true, false}) {
      last.take(memory, classes);
      if (counting) memory.provide(options.workspace);
    }
    for (index k = 0; k < classes; ++k) last[k] = -1;
    std::optional<row_flaw> first;
    index first_row = -1, bad = 0;
    for (index r = 0; r < rows; ++r) {
      if (!is_valid(options, r)) continue;
      auto const flaw =
          find_top_k_flaw(teacher, r, valid_classes_of(options, r, classes), last.data());
      if (!flaw) continue;
      if (!first) {
        first = flaw;
        first_row = r;
      }
      ++bad;
    }
    if (!first) return;
    message text;
    text << "teacher, row " << first_row;
    if (first->column >= 0) text << ", column " << first->column;
    text << ": " << first->what;
    if (bad > 1) text << "; " << bad << " rows are bad";
    text << "; nothing was written";
    throw bad_value(text.text(), first_row, first->column, first->value, bad);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
