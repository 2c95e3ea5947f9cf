// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "data.hpp"

#include <charconv>
#include <fstream>
#include <string>
#include <system_error>

namespace digits {

namespace {

/// Appends a line's pixels and label, or throws what is wrong with it.
void read_line(std::string const& line, std::vector<float>& values, dataset& result) {
  char const* at = line.data();
  char const* const end = at + line.size();
  for (int column = 0; column <= pixels; ++column) {
    std::string const place = "number " + std::to_string(column + 1);
    int value = 0;
    auto const [next, failure] = std::from_chars(at, end, value);
    if (failure != std::errc{}) {
      throw data_error(at == end ? "only " + std::to_string(column) + " of 65 numbers"
                                 : place + " is not a whole number");
    }
    int const largest = column == pixels ? classes - 1 : darkest;
    if (value < 0 || value > largest) {
      throw data_error(place + " is " + std::to_string(value) + "; it must lie between 0 and " +
                       std::to_string(largest));
    }
    if (column == pixels) {
      result.labels.push_back(value);
    } else {
      values.push_back(static_cast<float>(value) / darkest);
    }
    at = next;
    if (column < pixels && at != end) {
      if (*at != ',') throw data_error("no comma after " + place);
      ++at;
    }
  }
  if (at != end) throw data_error("more than 65 numbers");
}

}  // namespace

dataset read_digits(std::filesystem::path const& path) {
  std::error_code ignored;
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path, ignored)) {
    throw data_error(path.string() + ": cannot be opened");
  }

  dataset result;
  std::vector<float> values;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    try {
      read_line(line, values, result);
    } catch (data_error const& flaw) {
      throw data_error(path.string() + ':' + std::to_string(number) + ": " + flaw.what());
    }
  }

  auto const rows = static_cast<Eigen::Index>(result.labels.size());
  result.images = Eigen::Map<matrix const>(values.data(), rows, pixels);
  return result;
}

dataset slice(dataset const& all, Eigen::Index first, Eigen::Index count) {
  return {all.images.middleRows(first, count),
          {all.labels.begin() + first, all.labels.begin() + first + count}};
}

dataset select(dataset const& all, std::span<Eigen::Index const> rows) {
  dataset result{matrix(static_cast<Eigen::Index>(rows.size()), all.images.cols()), {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    result.images.row(static_cast<Eigen::Index>(i)) = all.images.row(rows[i]);
    result.labels.push_back(all.labels[static_cast<std::size_t>(rows[i])]);
  }
  return result;
}

}  // namespace digits
