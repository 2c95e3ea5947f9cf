// expect: divot: at\(T, loss\) takes a loss: at\(2, divot::kl\{\}\)
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student) {
  return divot::value(divot::kl{}, divot::at(2, teacher), student);
}
