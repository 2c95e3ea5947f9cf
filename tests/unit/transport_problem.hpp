// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkhorn.hpp>
#include <unit/slope.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

struct transport_problem {
  Eigen::MatrixXd cost;
  Eigen::VectorXd a, b;
};

inline transport_problem random_problem(Eigen::Index rows, Eigen::Index columns, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> number(.1, 2);
  auto const any = [&] { return number(generator); };
  transport_problem p{Eigen::MatrixXd::NullaryExpr(rows, columns, any),
                      Eigen::VectorXd::NullaryExpr(rows, any),
                      Eigen::VectorXd::NullaryExpr(columns, any)};
  p.a /= p.a.sum();
  p.b /= p.b.sum();
  return p;
}

inline Eigen::MatrixXd random_points(Eigen::Index count, Eigen::Index coordinates, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  return Eigen::MatrixXd::NullaryExpr(count, coordinates, [&] { return normal(generator); });
}

inline double value_of(auto const& solution, divot::transport_objective of) {
  return of == divot::transport_objective::entropic ? solution.entropic : solution.transport_cost;
}

/// The largest difference between slopes and those of value(p) by central differences, moving one
/// number of `where(p)` after the other.
template <class Slopes, class P, class Where, class Value>
double worst_slope(Slopes const& slopes, P const& p, Where const& where, Value const& value,
                   double step) {
  double worst = 0;
  for (Eigen::Index i = 0; i < slopes.rows(); ++i) {
    for (Eigen::Index j = 0; j < slopes.cols(); ++j) {
      double const found = slope_at_zero(
          [&](double by) {
            P moved = p;
            where(moved)(i, j) += by;
            return value(moved);
          },
          step);
      worst = std::max(worst, std::abs(slopes(i, j) - found));
    }
  }
  return worst;
}
