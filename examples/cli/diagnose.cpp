// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "diagnose.hpp"

#include "flaw.hpp"
#include "wide_block.hpp"

#include <divot/diagnostics.hpp>

#include <algorithm>

namespace cli {

divot::row_diagnostics diagnose(problem const& inputs, divot::index head) {
  if (head < 0) fail("--head: ", head, "; it must not be negative");
  if (inputs.sparse && inputs.sparse->tail == divot::tail::bucket) {
    fail("--diagnostics: --tail bucket says nothing of its classes; take renormalise or uniform");
  }
  throw_bad_logits(inputs);
  wide_transforms<double> const transforms{transform_rows<double>(inputs.teacher_transforms),
                                           transform_rows<double>(inputs.student_transforms)};
  auto const logits = std::visit(
      [&](auto const& set) { return widened<double>(set, inputs.classes); }, inputs.logits);
  std::vector<divot::row_diagnostics> per_row(static_cast<std::size_t>(inputs.rows));
  divot::index const step = wide_step(inputs.classes);
  for (divot::index first = 0; first < inputs.rows; first += step) {
    divot::index const count = std::min(step, inputs.rows - first);
    auto const part = [&](auto& all) {
      return all.empty() ? std::span(all)
                         : std::span(all).subspan(static_cast<std::size_t>(first),
                                                  static_cast<std::size_t>(count));
    };
    wide_block<double> const rows(inputs, logits, transforms, first, count);
    auto const c = rows.at(inputs.from.temperature);
    divot::diagnostics<> asked;
    asked.head = std::min(head, inputs.classes);
    asked.per_row = part(per_row);
    divot::diagnose(divot::simd, divot::logits(c.teacher, c.teacher_temperature),
                    divot::logits(c.student, c.student_temperature), asked,
                    {.mask = part(inputs.mask), .labels = part(inputs.labels)});
  }
  divot::row_diagnostics mean;
  for (auto const& number : diagnostics) {
    for (auto const& row : per_row) mean.*number.value += row.*number.value;
    mean.*number.value /= static_cast<double>(std::max<divot::index>(1, inputs.valid_rows));
  }
  return mean;
}

}  // namespace cli
