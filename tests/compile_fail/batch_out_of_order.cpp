// expect: designator order for field .divot::batch::weights. does not match declaration order
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& teacher, Eigen::MatrixXf const& student,
            std::vector<double> const& weight, std::vector<std::uint8_t> const& keep) {
  return divot::value(divot::kl{}, teacher, student, {.mask = keep, .weights = weight});
}
