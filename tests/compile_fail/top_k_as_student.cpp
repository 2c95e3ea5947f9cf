// expect: divot: top_k is a teacher: the order is \(policy, what, teacher, student\)
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXi const& indices,
             Eigen::MatrixXd const& log_p) {
  return divot::value(divot::kl{}, teacher, divot::top_k(indices, log_p, divot::tail::bucket));
}
