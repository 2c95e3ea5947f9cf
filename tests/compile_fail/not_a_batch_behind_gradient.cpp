// expect: divot: the last argument must be a divot::batch, such as \{.weights = w\}
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student,
            Eigen::MatrixXf& gradient) {
  return divot::value_and_gradient(divot::kl{}, teacher, student, gradient, divot::reduction::sum);
}
