// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "students.hpp"

#include <ostream>
#include <vector>

namespace digits {

/// Mean over seeds and standard deviation.
struct spread {
  double mean = 0, deviation = 0;
};

template <class Value>
spread spread_over(std::vector<student_run> const& runs, Value value) {
  auto const n = static_cast<double>(runs.size());
  spread result;
  for (student_run const& each : runs) result.mean += value(each) / n;
  for (student_run const& each : runs) {
    double const distance = value(each) - result.mean;
    result.deviation += distance * distance;
  }
  result.deviation = n > 1 ? std::sqrt(result.deviation / (n - 1)) : 0;
  return result;
}

/// One loss's line of the table.
struct row {
  digits::loss loss;
  spread accuracy, agreement, kl, entropy, microseconds;
};

std::vector<row> summarise(std::vector<trained> const& all);

void print_table(std::ostream& out, std::vector<row> const& rows, grades const& teacher);

/// Characters that `text` takes on a terminal (UTF-8, none of them wide).
std::size_t columns_of(std::string const& text);

}  // namespace digits
