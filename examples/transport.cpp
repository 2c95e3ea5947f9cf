// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Optimal transport between the samples of a batch: SinKD as a loss that a student is moved down,
// and the plan behind it, whose cost says how the gradient of any other cost matrix would go on.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdio>

using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

int main() {
  matrix teacher(3, 4), student(3, 4), gradient(3, 4);
  teacher << 2, 1, .1, -1.2,  //
      .3, -.2, 2.5, 0,        //
      1.5, 1, -2, 0;
  student << 1, 2, .5, -1,  //
      0, -.5, 1.5, .25,     //
      2, 0, -1, .5;

  // as a loss: descend
  divot::sinkd const what{.temperature = 2, .epsilon = .1, .sweeps = 20};
  double const before = divot::value(what, teacher, student);
  matrix moved = student;
  double after = before;
  for (int step = 0; step < 50; ++step) {
    after = divot::value_and_gradient(what, teacher, moved, gradient);
    moved -= 2 * gradient;
  }
  std::printf("SinKD %.4f, after 50 steps %.4f\n", before, after);

  // the plan between any two sets: here costs between the distributions, equal masses
  matrix p(3, 4), q(3, 4), cost(3, 3);
  divot::softmax(divot::logits(student, 2), p);
  divot::softmax(divot::logits(teacher, 2), q);
  for (Eigen::Index i = 0; i < 3; ++i) {
    for (Eigen::Index j = 0; j < 3; ++j) cost(i, j) = (p.row(i) - q.row(j)).lpNorm<1>();
  }
  auto const solved = divot::sinkhorn(cost, {.epsilon = .1});
  Eigen::MatrixXd const plan = solved.plan();
  for (Eigen::Index i = 0; i < 3; ++i) {
    std::printf("student %d goes to  %.3f %.3f %.3f\n", int(i), plan(i, 0), plan(i, 1), plan(i, 2));
  }
  auto const slope = solved.gradient(divot::transport_objective::transport_cost);
  std::printf("cost %.4f, entropic %.4f, %d sweeps, errors %.0e %.0e\n", solved.transport_cost,
              solved.entropic, solved.sweeps, solved.row_error, solved.column_error);

  // a little more of every cost is as much more of the loss as the plan has mass: 1
  bool const right = std::abs(slope.cost.sum() - 1) < 1e-8 && after < before &&
                     solved.status == divot::transport_status::converged;
  return right ? 0 : 1;
}
