// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Softmax at a temperature, and a loss of our own differentiated through it: the Brier score
//
//   L = Σ_k (y_k − t_k)²,  y = softmax(x/T)
//
// We write down ∂L/∂y; softmax_pullback takes it to ∂L/∂x.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdio>

using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double temperature = 2;

double brier(matrix const& x, matrix const& target) {
  matrix y(x.rows(), x.cols());
  divot::softmax(divot::simd, divot::logits(x, temperature), y);
  return (y - target).squaredNorm();
}

int main() {
  matrix x(2, 4), target(2, 4);
  x << 1, 3, -2, 0,           //
      1000, 1002, 998, 1001;  // exp(1000) overflows; softmax does not
  target << 0, 1, 0, 0,       //
      0, 0, 0, 1;

  std::puts("softmax of the first row");
  for (double t : {0.5, 1., 2., 8.}) {
    matrix y(x.rows(), x.cols());
    divot::softmax(divot::simd, divot::logits(x, t), y);
    std::printf("  T = %-4g %.4f %.4f %.4f %.4f\n", t, y(0, 0), y(0, 1), y(0, 2), y(0, 3));
  }

  // the pullback: from ∂L/∂y to ∂L/∂x
  matrix y(x.rows(), x.cols()), gradient(x.rows(), x.cols());
  divot::softmax(divot::simd, divot::logits(x, temperature), y);
  matrix const upstream = 2 * (y - target);
  divot::softmax_pullback(divot::simd, y, upstream, gradient, temperature);

  // a step along each logit agrees
  double worst = 0;
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    double const step = 1e-4;
    matrix up = x, down = x;
    up.data()[i] += step;
    down.data()[i] -= step;
    double const slope = (brier(up, target) - brier(down, target)) / (2 * step);
    worst = std::max(worst, std::abs(slope - gradient.data()[i]));
  }
  std::printf("Brier score %.6f, gradient against finite differences: %.1e apart\n",
              brier(x, target), worst);

  // log Σ exp(x/T) belongs to the family: log_softmax(x) = x/T − logsumexp(x)
  matrix log_y(x.rows(), x.cols());
  Eigen::VectorXd log_sum(x.rows());
  divot::log_softmax(divot::simd, divot::logits(x, temperature), log_y);
  divot::logsumexp(divot::simd, divot::logits(x, temperature), log_sum);
  double const apart = ((x / temperature - log_y).colwise() - log_sum).cwiseAbs().maxCoeff();

  return worst < 1e-8 && apart < 1e-12 ? 0 : 1;
}
