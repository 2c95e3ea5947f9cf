// expect: divot: at\(T, loss\): the temperature comes first: at\(2, divot::kl\{\}\)
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student) {
  return divot::value(divot::at(divot::kl{}, 2), teacher, student);
}
