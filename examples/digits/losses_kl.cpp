// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

namespace digits {

using divot::at, divot::cross_entropy, divot::kl, divot::reverse_kl, divot::t_squared;

std::vector<loss> kl_losses() {
  return {
      DIGITS_LOSS("labels only", kind::labels, cross_entropy{}),
      DIGITS_LOSS("labels, smoothed 0.1", kind::labels, cross_entropy{.smoothing = 0.1}),
      DIGITS_LOSS("KL", kind::forward, kl{}),
      DIGITS_LOSS("KL, T = 4", kind::forward, at(4, kl{}, t_squared)),
      DIGITS_LOSS("0.1 labels + 0.9 KL, T = 4", kind::forward,
                  0.1 * cross_entropy{} + 0.9 * at(4, kl{}, t_squared)),
      DIGITS_LOSS("reverse KL", kind::reverse, reverse_kl{}),
      DIGITS_LOSS("WSD 0.5", kind::between, 0.5 * kl{} + 0.5 * reverse_kl{}),
  };
}

}  // namespace digits
