// expect: divot: labels are a teacher: the order is \(policy, what, teacher, student\)
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <vector>

double wrong(Eigen::MatrixXd const& student, std::vector<int> const& y) {
  return divot::value(divot::cross_entropy{}, student, divot::labels(y));
}
