// expect: divot: the indices of top_k must be integers; they come first
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& student, Eigen::MatrixXi const& indices,
             Eigen::MatrixXd const& log_p) {
  return divot::value(divot::kl{}, divot::top_k(log_p, indices, divot::tail::bucket), student);
}
