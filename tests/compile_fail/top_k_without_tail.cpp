// expect: divot: top_k\(indices, log_probabilities, tail\): the tail is missing
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& student, Eigen::MatrixXi const& indices,
             Eigen::MatrixXd const& log_p) {
  return divot::value(divot::kl{}, divot::top_k(indices, log_p), student);
}
