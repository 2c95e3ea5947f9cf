// expect: divot: this scalar type runs on divot::seq only: pass it as the policy
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <unsupported/Eigen/AutoDiff>

using scalar = Eigen::AutoDiffScalar<Eigen::Vector2d>;
using dual_matrix = Eigen::Matrix<scalar, Eigen::Dynamic, Eigen::Dynamic>;

double wrong(Eigen::MatrixXd const& teacher, dual_matrix const& student) {
  return divot::value(divot::kl{}, teacher, student).value.value();
}
