// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

namespace digits {

using divot::alpha, divot::alpha_beta, divot::at, divot::cross_entropy;

/// From KL at (1, 0) to reverse KL at (0, 1), and beyond the line between the two.
std::vector<loss> alpha_beta_losses() {
  return {
      DIGITS_LOSS("α-β (0.2, 0.7)", kind::alpha_beta, alpha_beta{.alpha = 0.2, .beta = 0.7}),
      DIGITS_LOSS("α-β (0.5, 0.5)", kind::alpha_beta, alpha_beta{.alpha = 0.5, .beta = 0.5}),
      DIGITS_LOSS("α-β (0.8, 0.3)", kind::alpha_beta, alpha_beta{.alpha = 0.8, .beta = 0.3}),
      DIGITS_LOSS("labels + 32 α-β (0.8, 0.3), T = 4", kind::alpha_beta,
                  cross_entropy{} + 32 * at(4, alpha_beta{.alpha = 0.8, .beta = 0.3})),
      DIGITS_LOSS("α-divergence 0.7", kind::alpha_beta, alpha{.alpha = 0.7}),
  };
}

loss alpha_beta_loss(double a, double b) {
  return make_loss("α-β", kind::alpha_beta, "alpha_beta{a, b}", alpha_beta{.alpha = a, .beta = b});
}

}  // namespace digits
