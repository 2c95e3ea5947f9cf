// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace cli {

/// What the command line says of a transport problem. Empty: not given.
struct transport_options {
  std::string cost;          ///< rows × columns, or
  std::string x, y, ground;  ///< points, a row each, and what lies between two of them
  std::string row_masses, column_masses;
  double epsilon = 0, tolerance = 0;
  int sweeps = 0;
  std::string objective = "transport_cost";
  std::string gradient_out, plan_out;
};

/// Solves it; returns what goes to standard output, as JSON or as text.
std::string transport(transport_options const& options, bool json);

}  // namespace cli
