// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "losses.hpp"

#include <algorithm>
#include <utility>

namespace digits {

std::vector<loss> all_losses() {
  std::vector<loss> all;
  for (auto const kin :
       {kl_losses, skew_losses, symmetric_losses, composed_losses, alpha_beta_losses, order_losses,
        prepared_losses, transport_losses, other_losses}) {
    for (loss& each : kin()) all.push_back(std::move(each));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](loss const& a, loss const& b) { return a.kind < b.kind; });
  return all;
}

}  // namespace digits
