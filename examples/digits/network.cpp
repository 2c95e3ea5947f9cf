// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "network.hpp"

#include "random.hpp"

#include <cmath>
#include <utility>

namespace digits {

network::network(std::vector<int> const& widths, unsigned seed) {
  random_numbers random(seed);
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    double const scale = 1 / std::sqrt(static_cast<double>(widths[i]));
    matrix weights(widths[i], widths[i + 1]);
    for (float& each : weights.reshaped<Eigen::RowMajor>()) {
      each = static_cast<float>(scale * random.normal());
    }
    matrix const bias = matrix::Zero(1, widths[i + 1]);
    layers_.push_back({parameter(std::move(weights)), parameter(bias), {}});
  }
}

view network::below(std::size_t layer_number, view images) const {
  return layer_number == 0 ? images : view(layers_[layer_number - 1].output);
}

matrix const& network::forward(view images) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layer& each = layers_[i];
    each.output.noalias() = below(i, images) * each.weights.value;
    each.output.rowwise() += each.bias.value.row(0);
    if (i + 1 < layers_.size()) each.output = each.output.array().tanh();
  }
  return layers_.back().output;
}

void network::learn(view images, matrix const& logits_gradient, double rate) {
  ++steps_;
  matrix upstream = logits_gradient, next;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    layer& each = layers_[i];
    view const input = below(i, images);
    each.weights.gradient.noalias() = input.transpose() * upstream;
    each.bias.gradient = upstream.colwise().sum();
    if (i > 0) {
      next.noalias() = upstream * each.weights.value.transpose();
      upstream = next.array() * (1 - input.array().square());
    }
    each.weights.step(rate, steps_);
    each.bias.step(rate, steps_);
  }
}

network::parameter::parameter(matrix start) : value(std::move(start)) {
  gradient = mean = square = matrix::Zero(value.rows(), value.cols());
}

void network::parameter::step(double rate, int steps) {
  constexpr double forget_mean = 0.9, forget_square = 0.999;
  auto const m = static_cast<float>(forget_mean), s = static_cast<float>(forget_square);
  mean = m * mean + (1 - m) * gradient;
  square = s * square + (1 - s) * gradient.cwiseAbs2();
  double const correct = std::sqrt(1 - std::pow(forget_square, steps));
  auto const size = static_cast<float>(rate * correct / (1 - std::pow(forget_mean, steps)));
  auto const least = static_cast<float>(1e-8 * correct);
  value.array() -= size * mean.array() / (square.array().sqrt() + least);
}

}  // namespace digits
