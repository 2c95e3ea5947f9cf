// expect: divot: where the gradient goes is missing: behind the student comes a matrix
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student) {
  return divot::value_and_gradient(divot::kl{}, teacher, student);
}
