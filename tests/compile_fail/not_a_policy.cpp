// expect: divot: the first argument must be a policy, which is divot::seq, divot::simd
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student) {
  return divot::value(8, divot::kl{}, teacher, student);
}
