// expect: divot: where the gradient goes is missing: behind the student comes a matrix
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student) {
  divot::gradient(divot::kl{}, teacher, student, {.normaliser = 2});
}
