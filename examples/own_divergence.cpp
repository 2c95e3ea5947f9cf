// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A divergence of one's own from one function. Le Cam's,
//
//   D(p, q) = ½ Σ_k (p_k − q_k)² / (p_k + q_k),
//
// is Σ_k q_k f(p_k/q_k) with f(t) = (1 − t)² / (2(1 + t)). divot differentiates f itself, runs it
// on SIMD lanes, and near p = q takes a series, so that no digits are lost there.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdio>

struct le_cam {
  static constexpr double at_zero = 0.5;            // f(0): what a class costs that p leaves out
  static constexpr double slope_at_infinity = 0.5;  // lim f(t)/t: one that q leaves out
  template <class T>
  static T f(T t) {
    return (T(1) - t) * (T(1) - t) / (T(2) * (T(1) + t));
  }
};

using row_vector = Eigen::RowVectorXd;  // a single row may be a vector

/// The definition, word by word.
double by_definition(row_vector const& teacher, row_vector const& student) {
  Eigen::ArrayXd const a = teacher.transpose().array().exp(), b = student.transpose().array().exp();
  Eigen::ArrayXd const p = a / a.sum(), q = b / b.sum();
  return 0.5 * ((p - q).square() / (p + q)).sum();
}

int main() {
  row_vector teacher(5), student(5), gradient(5);
  teacher << 2, 0.5, -1, 0, 1;
  student << 1, 1, 0, -2, 0.5;

  constexpr divot::f_divergence<le_cam> own{};
  double const loss = divot::value_and_gradient(own, teacher, student, gradient);
  std::printf("Le Cam %.15f, by definition %.15f\n", loss, by_definition(teacher, student));

  std::puts("gradient        finite difference");
  double worst = 0;
  for (Eigen::Index k = 0; k < student.size(); ++k) {
    double const step = 1e-5;
    row_vector up = student, down = student;
    up[k] += step;
    down[k] -= step;
    double const slope = (by_definition(teacher, up) - by_definition(teacher, down)) / (2 * step);
    std::printf("%+.12f %+.12f\n", gradient[k], slope);
    worst = std::max(worst, std::abs(gradient[k] - slope));
  }

  // near convergence, one logit off by δ = 2⁻³⁰, so that p and q agree in nine digits:
  // D = ¼·p(1 − p)·δ²
  row_vector near = teacher;
  double const delta = std::ldexp(1, -30);
  near[0] += delta;
  double const p = std::exp(teacher[0]) / teacher.array().exp().sum();
  double const tiny = divot::value(own, teacher, near), expected = p * (1 - p) * delta * delta / 4;
  std::printf("one logit moved by 2^-30: %.9e, expected %.9e\n", tiny, expected);

  // it is a loss like any other: here turned round, tempered and mixed with KL
  auto const mixed = 0.5 * divot::at(2, divot::reverse(own)) + 0.5 * divot::kl{};
  std::printf("mixed with KL: %.6f\n", double(divot::value(mixed, teacher, student)));

  bool const good = std::abs(loss - by_definition(teacher, student)) < 1e-15 && worst < 1e-9 &&
                    std::abs(tiny / expected - 1) < 1e-8;
  return good ? 0 : 1;
}
