// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cli {

/// What is wrong with the user's input, in words that name file, place and flaw.
class flaw : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws a flaw with the parts put together.
template <class... Parts>
[[noreturn]] void fail(Parts const&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw flaw(text.str());
}

/// What the library says, without its name in front.
inline std::string_view without_name(std::string_view text) {
  constexpr std::string_view name = "divot: ";
  if (text.substr(0, name.size()) == name) text.remove_prefix(name.size());
  return text;
}

/// The text as one line: file names and specifications may hold anything.
inline std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace cli
