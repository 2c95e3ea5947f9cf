// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// KL row by row from its definition, in double, and a batch put together from the rows.

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <unit/calls.hpp>

#include <cmath>
#include <vector>

namespace calls {

using wide_vector = Eigen::RowVectorXd;
using wide_matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline wide_vector log_softmax(wide_vector const& x, double temperature) {
  wide_vector const y = (x.array() - x.maxCoeff()) / temperature;
  return y.array() - std::log(y.array().exp().sum());
}

/// The loss of a row and its gradient with respect to the student's logits.
struct row_answer {
  double loss;
  wide_vector gradient;
};

/// KL at a temperature, of the first `classes` columns; the gradient of the rest is 0.
inline row_answer kl_row(matrix const& teacher, matrix const& student, Eigen::Index row,
                         Eigen::Index classes, double temperature = 1) {
  wide_vector const log_p =
      log_softmax(teacher.row(row).leftCols(classes).cast<double>(), temperature);
  wide_vector const log_q =
      log_softmax(student.row(row).leftCols(classes).cast<double>(), temperature);
  wide_vector const p = log_p.array().exp(), q = log_q.array().exp();
  wide_vector gradient = wide_vector::Zero(student.cols());
  gradient.leftCols(classes) = (q - p) / temperature;
  return {p.dot(log_p - log_q), gradient};
}

/// A float loss within the budget. Sums of both signs are as exact as their summands.
inline void check_loss(double actual, double expected, double size = 0) {
  double const bound = budget::at(budget::situation::moderate).float32.loss;
  CHECK(std::abs(actual - expected) <= bound * std::max(std::abs(expected), size));
}

/// Every row of a float gradient within the budget.
inline void check_gradient(matrix const& actual, wide_matrix const& expected) {
  double const bound = budget::at(budget::situation::moderate).float32.gradient;
  for (Eigen::Index r = 0; r < actual.rows(); ++r) {
    CAPTURE(r);
    double const error = (actual.row(r).cast<double>() - expected.row(r)).norm();
    CHECK(error <= bound * expected.row(r).norm());
  }
}

/// Some numbers, one a row.
inline std::vector<double> numbers(Eigen::Index rows, unsigned seed) {
  std::vector<double> out;
  matrix const x = normal(rows, 1, seed);
  for (Eigen::Index r = 0; r < rows; ++r) out.push_back(double(x(r, 0)));
  return out;
}

inline bool same(matrix const& a, matrix const& b) { return (a.array() == b.array()).all(); }

}  // namespace calls
