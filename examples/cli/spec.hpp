// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "registry.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// One term of a sum of losses.
struct loss_term {
  loss_entry const* loss = nullptr;
  std::vector<double> values;  ///< of its parameters
  bool reversed = false;
  std::optional<double> temperature;  ///< none: the one of the command line
  bool t_squared = false;
  double weight = 1;

  /// As one would write it, without the weight: reverse(skew_kl(teacher_weight=0.1)).
  std::string text() const;
};

/// Reads what --loss says. The grammar:
///
///   sum       = [ sign ] product { sign product }          sign = '+' | '-'
///   product   = factor { '*' factor }                      one of them a loss, the others numbers
///   factor    = number | '(' sum ')' | both '(' sum ')' | name [ '(' [ arguments ] ')' ]
///   both      = 'reverse' | 'symmetrized'
///   arguments = key '=' value { ',' key '=' value }        value = number | 'true' | 'false'
///
/// Names are those of losses and aliases; keys their parameters, `temperature` and `t_squared`. An
/// order may be 'inf'. Flaws name the character.
std::vector<loss_term> parse_spec(std::string_view text);

}  // namespace cli
