// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include <cmath>
#include <iomanip>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// A number for JSON, which has no infinities: they are the strings "inf", "-inf" and "nan".
inline nlohmann::ordered_json json_number(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  return x;
}

inline std::string number_text(double x, int digits) {
  std::ostringstream out;
  out << std::setprecision(digits) << x;
  return out.str();
}

inline std::string fixed_text(double x, int decimals) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(decimals) << x;
  return out.str();
}

/// How many columns a UTF-8 text takes, for texts without wide or combining characters.
inline std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (char const c : text) width += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return width;
}

/// Rows of cells as aligned columns: the first to the left, the others to the right.
inline std::string table_text(std::vector<std::vector<std::string>> const& rows) {
  std::vector<std::size_t> widths;
  for (auto const& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t j = 0; j < row.size(); ++j) {
      widths[j] = std::max(widths[j], display_width(row[j]));
    }
  }
  std::string text;
  for (auto const& row : rows) {
    for (std::size_t j = 0; j < row.size(); ++j) {
      std::string const padding(widths[j] - display_width(row[j]), ' ');
      if (j > 0) text.append("  ").append(padding);
      text += row[j];
      if (j == 0 && row.size() > 1) text += padding;
    }
    text += '\n';
  }
  return text;
}

}  // namespace cli
