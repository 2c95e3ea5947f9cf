// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

namespace digits {

using divot::hockey_stick, divot::log_alpha_beta, divot::marton, divot::renyi, divot::sharma_mittal,
    divot::vajda;

/// Logarithms and powers of what the α-divergences sum, and divergences of one side of p = q.
std::vector<loss> order_losses() {
  return {
      DIGITS_LOSS("Rényi 0.5", kind::alpha_beta, renyi{.order = 0.5}),
      DIGITS_LOSS("Rényi 2", kind::alpha_beta, renyi{.order = 2}),
      DIGITS_LOSS("Sharma–Mittal (0.5, 2)", kind::alpha_beta,
                  sharma_mittal{.order = 0.5, .degree = 2}),
      DIGITS_LOSS("γ-divergence 0.5", kind::alpha_beta, log_alpha_beta{.alpha = 1, .beta = 0.5}),
      DIGITS_LOSS("Vajda 1.5", kind::chi_squared, vajda{.order = 1.5}),
      DIGITS_LOSS("Marton", kind::reverse, marton{}),
      DIGITS_LOSS("hockey stick 1.1", kind::forward, hockey_stick{.threshold = 1.1}),
  };
}

}  // namespace digits
