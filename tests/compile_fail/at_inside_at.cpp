// expect: divot: at\(T, \.\.\.\) inside at\(T, \.\.\.\): a term has one temperature
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXd const& student) {
  return divot::value(divot::at(2, divot::kl{} + divot::at(4, divot::kl{})), teacher, student);
}
