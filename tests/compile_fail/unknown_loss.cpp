// expect: required for the satisfaction of .*loss<L>|does not satisfy .loss.
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXd const& student) {
  struct not_a_loss {};
  return divot::value(not_a_loss{}, teacher, student);
}
