// expect: divot: the gradient must be writable: matrix_ref<T>, not matrix_ref<T const>
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student,
           divot::matrix_ref<float const> gradient) {
  divot::gradient(divot::kl{}, teacher, student, gradient);
}
