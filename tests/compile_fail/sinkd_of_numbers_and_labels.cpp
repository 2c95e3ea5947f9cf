// expect: divot: absolute_difference compares numbers: the teacher is a bare matrix of them
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(std::vector<int> const& y, Eigen::MatrixXd const& student) {
  auto const term = with_cost(divot::sinkd{}, divot::ground::absolute_difference{});
  return divot::value(divot::kl{} + 0.8 * term, divot::labels(y), student);
}
