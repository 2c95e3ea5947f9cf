// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Optimal transport: a problem with its plan and gradients, points without a matrix of costs, many
// problems at once, and a divergence that pulls a student's features to a teacher's.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdio>
#include <vector>

using divot::transport_objective;
using divot::transport_status;

int main() {
  // costs and masses of your own
  Eigen::MatrixXd cost(3, 2);
  cost << 0, 1,  //
      2, .5,     //
      1, 3;
  Eigen::Vector3d const a(.2, .3, .5);
  Eigen::Vector2d const b(.6, .4);
  auto const solved = divot::sinkhorn(cost, a, b, {.epsilon = .1});
  auto const slope = solved.gradient(transport_objective::transport_cost);
  std::printf("cost %.4f, entropic %.4f, %d sweeps, errors %.0e %.0e\n", solved.transport_cost,
              solved.entropic, solved.sweeps, solved.row_error, solved.column_error);
  Eigen::MatrixXd const plan = solved.plan();
  for (Eigen::Index i = 0; i < 3; ++i) {
    std::printf("row %d gives  %.3f %.3f   slope %+.3f %+.3f\n", int(i), plan(i, 0), plan(i, 1),
                slope.cost(i, 0), slope.cost(i, 1));
  }
  // a little more of every cost is as much more of the transport cost as the plan has mass
  bool right = solved.status == transport_status::converged &&
               std::abs(slope.cost.sum() - solved.mass) < 1e-8;

  // points: costs are worked out a row at a time, and gradients go to the coordinates
  Eigen::MatrixXd const teacher = Eigen::MatrixXd::Random(40, 8);
  Eigen::MatrixXd student = Eigen::MatrixXd::Random(30, 8).array() + 1;
  auto const between = divot::sinkhorn(divot::points(student, teacher, divot::ground::l2{}));
  Eigen::MatrixXd const images = between.apply(teacher) * 30;  // where each student's mass goes
  std::printf("points: cost %.4f, the first goes to %.3f, %.3f …\n", between.transport_cost,
              images(0, 0), images(0, 1));

  // outliers need not be matched: marginals may be missed at a price
  auto const loose = divot::sinkhorn(divot::points(student, teacher),
                                     {.epsilon = .5, .row_penalty = 2, .column_penalty = 2});
  std::printf("with penalties %.3f of the mass is moved\n", loose.mass);
  right = right && loose.mass < 1;

  // many problems, each until it is done itself; a wrong one would say so in its status
  std::vector<Eigen::MatrixXd> const costs{cost, 2 * cost, cost.topRows(2)};
  for (auto const& each : divot::sinkhorn_batch(costs, {.epsilon = .2})) {
    right = right && each.status == transport_status::converged;
    std::printf("of the batch: %.4f\n", each.transport_cost);
  }

  // the divergence is 0 for equal sides: descend, in the students' coordinates
  double const before = divot::sinkhorn_divergence(student, teacher).value();
  for (int step = 0; step < 30; ++step) {
    student -= 5 * divot::sinkhorn_divergence(student, teacher).gradient().x;
  }
  double const after = divot::sinkhorn_divergence(student, teacher).value();
  std::printf("divergence %.4f, after 30 steps %.4f\n", before, after);
  return right && after < .5 * before ? 0 : 1;
}
