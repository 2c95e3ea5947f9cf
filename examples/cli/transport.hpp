// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace cli {

/// What the command line says of a transport problem. Empty: not given.
struct transport_options {
  std::string cost;             ///< rows × columns, or
  std::string x, y, ground;     ///< points, a row each, and what lies between two of them
  std::optional<double> order;  ///< of the ground cost lp, and of the distance on the line
  bool line = false;            ///< points on the line: exact, without an epsilon
  std::string row_masses, column_masses;
  std::optional<double> epsilon;
  double tolerance = 0;
  double row_penalty = std::numeric_limits<double>::infinity();
  double column_penalty = std::numeric_limits<double>::infinity();
  std::optional<double> moved;  ///< so much of the masses
  int sweeps = 0, max_sweeps = 0;
  std::string policy;
  std::int64_t threads = 0;
  bool has_threads = false;
  std::string objective = "transport_cost";
  std::string gradient_out, x_gradient_out, y_gradient_out, plan_out;
  bool feasible = false;  ///< the plan that is written keeps the masses
};

/// Solves it; returns what goes to standard output, as JSON or as text.
std::string transport(transport_options const& options, bool json);

}  // namespace cli
