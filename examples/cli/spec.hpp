// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "loss_term.hpp"

#include <string_view>
#include <vector>

namespace cli {

/// Reads what --loss says. The grammar:
///
///   sum       = [ sign ] product { sign product }          sign = '+' | '-'
///   product   = factor { '*' factor }                      one of them a loss, the others numbers
///   factor    = number | '(' sum ')' | both '(' sum ')' | with '(' sum ',' number ')'
///             | name [ '(' [ arguments ] ')' ]
///   both      = 'reverse' | 'symmetrized'
///   with      = 'skew' | 'power'
///   arguments = key '=' value { ',' key '=' value }        value = number | 'true' | 'false' |
///   word | file
///
/// Names are those of losses and aliases; keys their parameters and, but for losses with a call of
/// their own, `temperature` and `t_squared`. A file's name has no comma and no parenthesis. Words
/// are those of a parameter. An order may be 'inf'. The number of a skew may be written
/// teacher_weight=0.1, that of a power exponent=0.5; no power stands inside another. Flaws name the
/// character.
std::vector<loss_part> parse_spec(std::string_view text);

}  // namespace cli
