// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "evaluate.hpp"

namespace cli {

/// Transport between a row's two distributions, as `list` shows it and --loss takes it: one of its
/// parameters is a file.
loss_entry const& class_transport_entry();

/// Reads the costs that a term names.
void read_costs(loss_term& term);

/// Adds a class_transport term's value, rows' losses and gradients to what is there.
template <class Storage>
void add_class_transport(loss_term const& term, problem const& inputs,
                         logits_set<Storage> const& logits, execution const& how,
                         wanted const& want, divot::workspace& scratch, outcome<Storage>& out);

}  // namespace cli
