// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

namespace digits {

using divot::jensen_shannon, divot::pearson, divot::power, divot::reverse, divot::skew,
    divot::skew_kl, divot::symmetrized;

/// Divergences made of others.
std::vector<loss> composed_losses() {
  return {
      DIGITS_LOSS("skewed χ² 0.1", kind::chi_squared, skew(pearson{}, 0.1)),
      DIGITS_LOSS("reverse of skewed χ² 0.1", kind::chi_squared, reverse(skew(pearson{}, 0.1))),
      DIGITS_LOSS("both skew KLs 0.1", kind::between, symmetrized(skew_kl{.teacher_weight = 0.1})),
      DIGITS_LOSS("√Jensen–Shannon", kind::between, power(jensen_shannon{}, 0.5)),
  };
}

}  // namespace digits
