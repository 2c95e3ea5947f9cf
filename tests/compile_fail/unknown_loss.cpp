// expect: divot: the argument before the teacher must be a loss: a divergence such as divot::kl
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXd const& student) {
  struct not_a_loss {};
  divot::value(not_a_loss{}, teacher, student);
}
