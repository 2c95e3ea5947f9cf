// expect: divot: a teacher's gradient exists for logits and log_probabilities only
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <vector>

void wrong(Eigen::MatrixXf const& student, std::vector<int> const& y, Eigen::MatrixXf& gradient) {
  divot::gradient(divot::kl{}, divot::labels(y, 0.1), student,
                  divot::gradients().teacher(gradient));
}
