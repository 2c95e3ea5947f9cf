// expect: divot: the gradient must be a dense Eigen object, a matrix_ref, accumulate
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <vector>

void wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student,
           std::vector<float>& gradient) {
  divot::gradient(divot::kl{}, teacher, student, gradient);
}
