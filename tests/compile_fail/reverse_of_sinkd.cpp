// expect: divot: sinkd has no reverse
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXd const& student) {
  return divot::value(divot::reverse(divot::kl{} + divot::sinkd{}), teacher, student);
}
