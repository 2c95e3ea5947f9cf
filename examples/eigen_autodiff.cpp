// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The policy `seq` runs on any scalar type. Here it runs on Eigen's AutoDiffScalar, which carries
// the derivatives with respect to a model's parameters through softmax and divergence; they agree
// with divot's own gradient, taken by hand through the model.
//
// The model: logits = A·θ. Derivatives of a fixed size (Eigen's own AutoDiffScalar mixes up sizes
// when constants meet derivatives of dynamic size).
#include <divot/divot.hpp>

#include <Eigen/Core>
#include <unsupported/Eigen/AutoDiff>

#include <cmath>
#include <cstdio>

constexpr int class_count = 5, parameter_count = 3;
using vector = Eigen::Matrix<double, class_count, 1>;
using parameter_vector = Eigen::Matrix<double, parameter_count, 1>;
using scalar = Eigen::AutoDiffScalar<parameter_vector>;

template <divot::loss L>
bool agrees(char const* name, L const& what) {
  Eigen::Matrix<double, class_count, parameter_count> model;
  model << 1, 0, -1,  //
      0.5, 2, 0,      //
      -1, 0, 0.5,     //
      0, 1, 1,        //
      2, -1, 0;
  vector const teacher{{2, 0, -1, 1, 0.5}};
  parameter_vector const theta(0.3, -0.2, 0.4);

  // forward mode: each parameter starts with a unit derivative, and divot is called as it is
  Eigen::Matrix<scalar, parameter_count, 1> seeded;
  for (int i = 0; i < parameter_count; ++i) seeded[i] = scalar(theta[i], parameter_count, i);
  Eigen::Matrix<scalar, class_count, 1> const logits = model.cast<scalar>() * seeded;
  scalar const loss = divot::value(divot::seq, what, teacher, logits).value;

  // divot's gradient with respect to the logits, then the chain rule
  vector const student = model * theta;
  vector gradient;
  double const value = divot::value_and_gradient(what, teacher, student, gradient);
  parameter_vector const by_hand = model.transpose() * gradient;

  double const apart = (by_hand - loss.derivatives()).norm() / by_hand.norm();
  std::printf("%-19s %.12f  [% .9f % .9f % .9f]  %.1e apart\n", name, value, by_hand[0], by_hand[1],
              by_hand[2], apart);
  return apart < 1e-13 && std::abs(loss.value() - value) < 1e-14;
}

int main() {
  std::puts("loss                value           gradient with respect to the parameters");
  bool good = agrees("KL", divot::kl{});
  good &= agrees("Jensen-Shannon, T=3", divot::at(3, divot::jensen_shannon{}));
  good &= agrees("alpha-beta .2 .7", divot::alpha_beta{.alpha = 0.2, .beta = 0.7});
  return good ? 0 : 1;
}
