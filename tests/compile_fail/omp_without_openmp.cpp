// expect: divot: policy 'omp' needs OpenMP: link divot::openmp or compile with -fopenmp
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student) {
  return divot::value(divot::omp(2), divot::kl{}, teacher, student);
}
