// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

namespace digits {

using divot::at, divot::neyman, divot::pearson, divot::reverse, divot::skew_js, divot::skew_kl,
    divot::t_squared;

/// Mixtures of teacher and student in place of one of them, and the χ² losses. Neyman's has p in
/// its denominator and hardly trains at temperature 1: see `neyman_at_one`.
std::vector<loss> skew_losses() {
  return {
      DIGITS_LOSS("skew KL 0.1", kind::forward, skew_kl{.teacher_weight = 0.1}),
      DIGITS_LOSS("GKD 0.1", kind::forward, skew_js{.teacher_weight = 0.1}),
      DIGITS_LOSS("reverse of skew KL 0.1", kind::reverse, reverse(skew_kl{.teacher_weight = 0.1})),
      DIGITS_LOSS("GKD 0.9", kind::reverse, skew_js{.teacher_weight = 0.9}),
      DIGITS_LOSS("Pearson χ²", kind::chi_squared, pearson{}),
      DIGITS_LOSS("Neyman χ², T = 4", kind::chi_squared, at(4, neyman{}, t_squared)),
  };
}

loss neyman_at_one() {
  return DIGITS_LOSS("Neyman χ², T = 1", kind::chi_squared, at(1, neyman{}, t_squared));
}

}  // namespace digits
