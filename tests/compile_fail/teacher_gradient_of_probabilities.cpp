// expect: divot: a teacher's gradient exists for logits and log_probabilities only
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student,
           Eigen::MatrixXf& gradient) {
  divot::gradient(divot::kl{}, divot::probabilities(teacher), student,
                  divot::gradients().teacher(gradient));
}
