// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>
#include <iostream>

int main() {
  Eigen::MatrixXf teacher = Eigen::MatrixXf::Random(4, 10),
                  student = Eigen::MatrixXf::Random(4, 10), gradient(4, 10);
  float loss = divot::value_and_gradient(divot::kl{}, divot::logits(teacher, 2.f),
                                         divot::logits(student, 2.f), gradient);
  std::cout << loss << '\n';
}
