// expect: divot: the policy divot::cuda needs <divot/cuda\.cuh>, compiled by nvcc
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float loss(Eigen::MatrixXf const& teacher, Eigen::MatrixXf& student) {
  return divot::value_and_gradient(divot::cuda, divot::kl{}, teacher, student, student);
}
