// expect: divot: the argument before the teacher must be a loss
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student) {
  return divot::value(teacher, student, divot::kl{});
}
