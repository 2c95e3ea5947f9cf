// expect: divot: teacher and student are Eigen expressions or matrix_ref
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <vector>

void wrong(std::vector<int> const& y, Eigen::MatrixXd const& student) {
  divot::value(divot::cross_entropy{}, y, student);  // labels(y) was meant
}
