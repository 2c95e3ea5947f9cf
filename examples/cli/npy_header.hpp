// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "flaw.hpp"

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// What the header of a .npy file says.
struct npy_fields {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
};

/// Reads the Python dictionary in a .npy header, which is all of Python that the format needs:
/// strings, True, False and a tuple of integers.
class npy_header_parser {
 public:
  npy_header_parser(std::string_view path, std::string_view text) : path_(path), text_(text) {}

  npy_fields parse() {
    std::optional<std::string> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::size_t>> shape;
    expect('{');
    while (!accept('}')) {
      std::string const key = string();
      expect(':');
      if (key == "descr") {
        if (peek() == '[') bad("the elements are records; numbers are needed");
        descr = string();
      } else if (key == "fortran_order") {
        fortran_order = boolean();
      } else if (key == "shape") {
        shape = tuple();
      } else {
        bad("unknown key '" + key + "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (peek() != '\0') bad("something follows the dictionary");
    if (!descr) bad("'descr' is missing");
    if (!fortran_order) bad("'fortran_order' is missing");
    if (!shape) bad("'shape' is missing");
    return {*descr, *fortran_order, *shape};
  }

 private:
  [[noreturn]] void bad(std::string const& what) const {
    fail(path_, ": header, character ", at_ + 1, ": ", what);
  }
  /// The next character that is no white space, or 0 at the end.
  char peek() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) bad(std::string("'") + c + "' is missing");
  }
  std::string string() {
    char const quote = peek();
    if (quote != '\'' && quote != '"') bad("a string is missing");
    std::size_t const end = text_.find(quote, at_ + 1);
    if (end == text_.npos) bad("a string has no end");
    std::string const value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  bool boolean() {
    peek();
    for (bool const value : {false, true}) {
      std::string_view const word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    bad("True or False is missing");
  }
  std::size_t integer() {
    auto const is_digit = [&] {
      return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
    };
    peek();
    if (!is_digit()) bad("a number is missing");
    std::size_t value = 0;
    for (; is_digit(); ++at_) {
      std::size_t const digit = static_cast<std::size_t>(text_[at_] - '0');
      if (value > (std::numeric_limits<std::size_t>::max() - digit) / 10) bad("too large a number");
      value = value * 10 + digit;
    }
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // as Python 2 wrote them
    return value;
  }
  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> values;
    expect('(');
    while (!accept(')')) {
      values.push_back(integer());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  std::string_view path_, text_;
  std::size_t at_ = 0;
};

}  // namespace cli
