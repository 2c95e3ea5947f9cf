// expect: divot: an argument is missing: after the policy come what, teacher, student and
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student) {
  return divot::value_and_gradient(divot::seq, divot::kl{}, teacher, student);
}
