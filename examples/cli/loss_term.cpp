// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "loss_term.hpp"

#include <sstream>
#include <string_view>
#include <utility>

namespace cli {

void loss_term::reverse() {
  std::swap(first.of_teacher, first.of_student);
  std::swap(second.of_teacher, second.of_student);
  if (!around.empty() && !around.back()) {
    around.pop_back();
  } else {
    around.emplace_back();
  }
}

void loss_term::skew(double teacher_weight) {
  for (mixed_side* const side : {&first, &second}) {
    side->of_teacher += side->of_student * teacher_weight;
    side->of_student *= 1 - teacher_weight;
  }
  around.emplace_back(teacher_weight);
}

std::string loss_term::text() const {
  std::ostringstream out;
  out.precision(15);
  for (auto wrapper = around.rbegin(); wrapper != around.rend(); ++wrapper) {
    out << (*wrapper ? "skew(" : "reverse(");
  }
  out << loss->name;
  char separator = '(';
  auto const key = [&](std::string_view name) -> std::ostream& {
    out << separator << name << '=';
    separator = ',';
    return out;
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto const& p = loss->parameters[i];
    key(p.name) << (p.is_file && !file.empty() ? file : value_text(p, values[i]));
  }
  if (temperature) key("temperature") << *temperature;
  if (t_squared) key("t_squared") << "true";
  if (separator == ',') out << ')';
  for (auto const& wrapper : around) {
    if (wrapper) out << ',' << *wrapper;
    out << ')';
  }
  return out.str();
}

}  // namespace cli
