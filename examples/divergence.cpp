// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A divergence and its gradient, then the same on a batch whose rows are not all alike.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <array>
#include <cmath>
#include <cstdint>
#include <iostream>

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

int main() {
  // a row per sample (or token), a column per class
  matrix teacher(3, 4), student(3, 4), gradient(3, 4);
  teacher << 4, 1, 0, -1,  //
      0, 3, 3, 0,          //
      2, 2, 2, 2;
  student << 3, 2, 0, 0,  //
      1, 1, 4, 0,         //
      0, 1, 0, 1;

  // KL(teacher ‖ student) at temperature 2: the mean over rows, and ∂/∂student
  auto const kl = divot::value_and_gradient(divot::kl{}, divot::logits(teacher, 2),
                                            divot::logits(student, 2), gradient);
  std::cout << "KL at temperature 2: " << kl << "\n" << gradient << "\n\n";

  // adding a constant to a row's logits changes no probability, so a row of the gradient sums to 0
  bool good = gradient.rowwise().sum().cwiseAbs().maxCoeff() < 1e-6f;

  // the temperature may also belong to a term, times T² if wanted, and losses add up
  auto const distillation =
      0.9 * divot::at(4, divot::kl{}, divot::t_squared) + 0.1 * divot::squared_hellinger{};

  // The second row is padding, the third counts twice; we keep every row's own loss. A mean is
  // taken over the valid rows.
  std::array<std::uint8_t, 3> const mask{1, 0, 1};
  std::array<double, 3> const weights{1, 1, 2};
  std::array<double, 3> per_row{};
  auto const loss =
      divot::value_and_gradient(distillation, teacher, student, gradient,
                                {.weights = weights, .mask = mask, .per_row = per_row});
  std::cout << "distillation loss " << loss << " over " << loss.valid_rows
            << " rows: " << per_row[0] << ", " << per_row[1] << ", " << per_row[2] << "\n";
  good = good && loss.valid_rows == 2;
  good = good && std::abs((per_row[0] + per_row[2]) / 2 - loss) < 1e-6;
  good = good && per_row[1] == 0 && (gradient.row(1).array() == 0).all();

  // Training adds gradients up. Here 0.5·∂loss is added to what is there, and the teacher's logits
  // get a gradient in the same sweep.
  matrix const before = gradient;
  matrix to_teacher(3, 4);
  divot::gradient(distillation, teacher, student,
                  divot::gradients().student(divot::accumulate(gradient, 0.5)).teacher(to_teacher),
                  {.weights = weights, .mask = mask});
  std::cout << "gradient with respect to the teacher's logits\n" << to_teacher << "\n";
  good = good && (gradient - 1.5f * before).norm() < 1e-6f * before.norm();

  return good ? 0 : 1;
}
