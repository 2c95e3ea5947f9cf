// expect: divot: the gradient would be lost: this matrix is a temporary
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXd const& student) {
  divot::gradient(divot::kl{}, teacher, student, Eigen::MatrixXd(3, 4));
}
