// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>

#include <cmath>
#include <concepts>
#include <cstdio>
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

/// Text put together from words and numbers, cheaply for the compiler.
class message {
 public:
  explicit message(char const* start = "divot: ") : text_(start) {}
  DIVOT_COLD message& operator<<(char const* part) {
    text_ += part;
    return *this;
  }
  message& operator<<(std::string const& part) { return *this << part.c_str(); }
  message& operator<<(double x) { return number(x, "%g"); }
  message& operator<<(std::integral auto n) { return integer(static_cast<long long>(n)); }
  /// All digits of x.
  message& exact(double x) { return number(x, "%.17g"); }
  std::string const& text() const { return text_; }

 private:
  DIVOT_COLD message& number(double x, char const* format) {
    char digits[40];
    std::snprintf(digits, sizeof digits, format, x);
    return *this << digits;
  }
  DIVOT_COLD message& integer(long long n) { return *this << std::to_string(n).c_str(); }

  std::string text_;
};

[[noreturn]] DIVOT_COLD inline void fail_with(message const& m) { throw error(m.text()); }

/// Throws divot::error with the parts put together: fail("rows ", 3, " and ", 4). By value: one
/// function for words of any length.
template <class... Parts>
[[noreturn]] DIVOT_COLD void fail(Parts... parts) {
  message m;
  (m << ... << parts);
  fail_with(m);
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
