// expect: divot: sinkd takes logits, probabilities, log_probabilities or labels as teacher
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& t, Eigen::MatrixXd const& u, Eigen::MatrixXd const& student) {
  return divot::value(divot::kl{} + 0.8 * divot::sinkd{}, divot::mixture(t, u, std::array{.5, .5}),
                      student);
}
