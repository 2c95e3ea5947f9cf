// expect: divot: softmax takes logits
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& probabilities, Eigen::MatrixXf& out) {
  divot::softmax(divot::simd, divot::probabilities(probabilities), out);
}
