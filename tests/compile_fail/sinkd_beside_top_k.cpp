// expect alone: divot: sinkd takes logits, probabilities, log_probabilities or labels as teacher
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXi const& indices, Eigen::MatrixXd const& log_p,
             Eigen::MatrixXd const& student, Eigen::MatrixXd& gradient) {
  return divot::value_and_gradient(divot::kl{} + divot::sinkd{},
                                   divot::top_k(indices, log_p, divot::tail::uniform), student,
                                   gradient);
}
