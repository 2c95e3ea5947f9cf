// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "table.hpp"

#include "plot.hpp"

#include <algorithm>

namespace digits {

namespace {

std::string left(std::string const& text, std::size_t width) {
  return text + std::string(width - std::min(width, columns_of(text)), ' ');
}

std::string right(std::string const& text, std::size_t width) {
  return std::string(width - std::min(width, columns_of(text)), ' ') + text;
}

std::string with_spread(spread const& s, int digits) {
  return fixed(s.mean, digits) + " ± " + fixed(s.deviation, digits);
}

}  // namespace

std::size_t columns_of(std::string const& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::vector<row> summarise(std::vector<trained> const& all) {
  std::vector<row> rows;
  for (trained const& each : all) {
    auto const over = [&](double grades::*what) {
      return spread_over(each.runs, [&](student_run const& run) { return run.curve.back().*what; });
    };
    rows.push_back({each.loss, over(&grades::accuracy), over(&grades::agreement), over(&grades::kl),
                    over(&grades::entropy), spread_over(each.runs, [](student_run const& run) {
                      return run.microseconds;
                    })});
  }
  return rows;
}

void print_table(std::ostream& out, std::vector<row> const& rows, grades const& teacher) {
  std::size_t width = 0;
  for (row const& each : rows) width = std::max(width, columns_of(each.loss.name));
  auto const line = [&](std::string const& name, std::string const& accuracy,
                        std::string const& agreement, std::string const& kl,
                        std::string const& entropy, std::string const& time) {
    out << left(name, width) << right(accuracy, 15) << right(agreement, 15) << right(kl, 17)
        << right(entropy, 11) << right(time, 11) << '\n';
  };
  std::string rule;
  for (std::size_t i = 0; i < width + 69; ++i) rule += "─";

  line("", "test accuracy", "same answer", "KL to the", "", "µs a step");
  line("trained with", "%", "as teacher, %", "teacher", "entropy", "(the loss)");
  out << rule << '\n';
  line("(teacher)", fixed(teacher.accuracy, 2) + "       ", "", "", fixed(teacher.entropy, 3), "");
  for (row const& each : rows) {
    line(each.loss.name, with_spread(each.accuracy, 2), with_spread(each.agreement, 1),
         with_spread(each.kl, 3), fixed(each.entropy.mean, 3), fixed(each.microseconds.mean, 1));
  }
  out << rule << '\n' << "± is one standard deviation over the seeds; KL and entropy in nats\n";
}

}  // namespace digits
