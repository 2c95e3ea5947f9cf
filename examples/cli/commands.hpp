// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "inputs.hpp"

#include <string>
#include <vector>

namespace cli {

struct eval_options {
  input_options input;
  std::string loss;
  std::string gradient_out, teacher_gradient_out, per_row_out;
  bool diagnostics = false;
  std::int64_t head = 0;  ///< classes of the teacher's head, for its masses
};

struct compare_options {
  input_options input;
  std::vector<std::string> losses;  ///< beside those that it knows
};

/// Each command returns what goes to standard output, as JSON or as text.
/// With `shapes` the JSON has f and f' of every f-divergence along u.
std::string list(bool json, bool shapes);
std::string eval(eval_options const& options, bool json);
std::string compare(compare_options const& options, bool json);

}  // namespace cli
