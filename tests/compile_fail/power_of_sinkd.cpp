// expect: divot: power\(D, r\) takes a divergence of single rows
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXd const& student) {
  return divot::value(divot::power(divot::sinkd{}, 0.5), teacher, student);
}
