// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "data.hpp"

#include <vector>

namespace digits {

/// A multilayer perceptron with tanh between its layers, trained by Adam. Its outputs are logits.
class network {
 public:
  network(std::vector<int> const& widths, unsigned seed);

  /// images × pixels → images × classes; keeps what `learn` needs.
  matrix const& forward(view images);

  /// One step of Adam after `forward(images)`, given the loss's gradient with respect to the
  /// logits.
  void learn(view images, matrix const& logits_gradient, double rate);

 private:
  struct parameter {
    matrix value, gradient, mean, square;

    explicit parameter(matrix start);
    void step(double rate, int steps);
  };
  struct layer {
    parameter weights, bias;
    matrix output;
  };

  view below(std::size_t layer_number, view images) const;

  std::vector<layer> layers_;
  int steps_ = 0;
};

}  // namespace digits
