// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <unit/slope.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

using row_samples = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline row_samples random_rows(divot::index rows, divot::index cols, unsigned seed, double scale) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  return row_samples::NullaryExpr(rows, cols, [&] { return scale * normal(generator); });
}

inline row_samples softmax_rows(row_samples const& z, double temperature) {
  row_samples p = ((z.colwise() - z.rowwise().maxCoeff()) / temperature).array().exp();
  for (Eigen::Index i = 0; i < p.rows(); ++i) p.row(i) /= p.row(i).sum();
  return p;
}

/// The worst of a gradient against f's central differences, relative to its norm.
inline double gradient_error(row_samples const& gradient, row_samples at,
                             std::function<double(row_samples const&)> const& f, double step) {
  double worst = 0;
  for (Eigen::Index i = 0; i < at.rows(); ++i) {
    for (Eigen::Index k = 0; k < at.cols(); ++k) {
      double const x = at(i, k);
      auto const moved = [&](double by) {
        at(i, k) = x + by;
        return f(at);
      };
      double const slope = slope_at_zero(moved, step);
      at(i, k) = x;
      worst = std::max(worst, std::abs(slope - gradient(i, k)));
    }
  }
  return worst / gradient.norm();
}
