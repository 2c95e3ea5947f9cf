// expect: divot: the gradient must be writable and have memory
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student,
           Eigen::MatrixXf& gradient) {
  divot::gradient(divot::kl{}, teacher, student, gradient * 2);
}
