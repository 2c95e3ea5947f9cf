// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "registry.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// Another name of a loss: what it means in the grammar of --loss, {} standing for the value of its
/// parameter x, {+1} for one more and {1/(π(1−π))} for what it says of π = x.
struct alias {
  std::string name;
  std::string meaning;
  std::vector<loss_entry::parameter> parameters = {};  ///< at most one

  /// The loss of which it is but another name, with its keys; or null.
  loss_entry const* same_loss() const { return parameters.empty() ? find_loss(meaning) : nullptr; }

  /// The loss in the grammar of --loss.
  std::string written_out(std::span<double const> values) const;
};

/// Every alias, in the order in which they are listed.
std::vector<alias> const& aliases();

/// The alias of that name, or null.
alias const* find_alias(std::string_view name);

}  // namespace cli
