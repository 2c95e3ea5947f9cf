// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "evaluate.hpp"

namespace cli {

/// The loss between rows, as `list` shows it and --loss takes it. It is no row of losses.hpp: it
/// has no reverse, and parameters that are no numbers.
loss_entry const& sinkd_entry();

/// Adds a sinkd term's value, rows' losses and gradients to what is there.
template <class Storage>
void add_sinkd(loss_term const& term, problem const& inputs, logits_set<Storage> const& logits,
               execution const& how, wanted const& want, divot::workspace& scratch,
               outcome<Storage>& out);

}  // namespace cli
