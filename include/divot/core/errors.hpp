// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>

#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>

namespace divot {

/// Anything wrong with what the caller passed: shapes, options, overlap. Thrown before anything is
/// written.
class error : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// A value no loss is defined for: NaN, +inf, a row that is −inf throughout, a probability below 0
/// or a row of them that does not sum to 1.
///
/// Thrown after every other row is complete (check::each_row) or before anything is written
/// (check::first). The bad rows' outputs are as they were.
class bad_value : public error {
 public:
  bad_value(std::string const& what, index row, index column, double value, index count)
      : error(what), row_(row), column_(column), value_(value), count_(count) {}
  /// The first bad row, its first bad column (−1: the row as a whole) and the value there.
  index row() const { return row_; }
  index column() const { return column_; }
  double value() const { return value_; }
  /// How many rows are bad.
  index count() const { return count_; }

 private:
  index row_, column_;
  double value_;
  index count_;
};

inline namespace DIVOT_ABI {

/// Throws divot::error with the parts put together: message("rows ", 3, " and ", 4).
template <class... Parts>
[[noreturn]] void fail(Parts const&... parts) {
  std::ostringstream text;
  text << "divot: ";
  (text << ... << parts);
  throw error(text.str());
}

inline void check_finite(double x, char const* what, char const* name) {
  if (!std::isfinite(x)) fail(what, ": ", name, " is ", x, "; it must be finite");
}

inline void check_open_unit(double x, char const* what, char const* name, char const* instead) {
  if (!(x > 0 && x < 1)) {
    fail(what, ": ", name, " is ", x, "; it must lie between 0 and 1, both excluded (", instead,
         ")");
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
