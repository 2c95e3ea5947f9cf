// expect: divot: integer matrices are no logits: cast them to float or double first
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXi const& student) {
  return divot::value(divot::kl{}, teacher, student);
}
