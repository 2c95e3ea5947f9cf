// expect: divot: labels must be integers, one a row
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <vector>

double wrong(Eigen::MatrixXd const& student, std::vector<double> const& y) {
  return divot::value(divot::cross_entropy{}, divot::labels(y), student);
}
