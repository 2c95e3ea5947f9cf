// expect: divot: an argument is missing: the order is \(\[policy,\] what, teacher, student
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

float wrong(Eigen::MatrixXf const& student, std::vector<std::int64_t> const& y) {
  return divot::value(divot::cross_entropy{}, student, {.labels = y});
}
