// expect: divot: class_transport takes logits of both sides
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <array>

double wrong(Eigen::MatrixXd const& student) {
  std::array<int, 2> const y{0, 1};
  return divot::value(divot::kl{} + .1 * divot::class_transport{}, divot::labels(y), student);
}
