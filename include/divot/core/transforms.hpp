// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

namespace divot {

// What is done to logits on the way in, as users name it: members of `operand` make these.

/// y = cap·tanh(x/cap)
struct softcap_transform {
  double cap;
};

/// y_k = x_k + b_k
template <class Stored>
struct bias_transform {
  Stored b;
};

/// y = (x − mean x)/sd x, row by row
struct standardise_transform {};

/// y_k = x_k where keep_k, else −inf
template <class Stored>
struct mask_transform {
  Stored keep;
};

}  // namespace divot
