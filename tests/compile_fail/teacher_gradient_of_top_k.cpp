// expect: divot: a teacher's gradient exists for logits and log_probabilities only
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& student, Eigen::MatrixXi const& indices,
           Eigen::MatrixXf const& log_p, Eigen::MatrixXf& gradient) {
  divot::gradient(divot::kl{}, divot::top_k(indices, log_p, divot::tail::uniform), student,
                  divot::gradients().teacher(gradient));
}
