// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What different losses say about the same student: their values, how hard they pull, whether in
// KL's direction, and on which class.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdio>

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct comparison {
  matrix const& teacher;
  matrix const& student;
  matrix kl_gradient;
  bool good = true;

  comparison(matrix const& t, matrix const& s) : teacher(t), student(s), kl_gradient(s) {
    // kl_gradient holds the student's logits and is overwritten: in place
    divot::gradient(divot::kl{}, teacher, kl_gradient, kl_gradient);
    std::puts("loss                  value   |gradient|  cosine to KL  pulls most at");
  }

  template <divot::loss L>
  void operator()(char const* name, L const& what) {
    matrix gradient(student.rows(), student.cols());
    float const value = divot::value_and_gradient(what, teacher, student, gradient);
    float const norm = gradient.norm();
    float const cosine = gradient.cwiseProduct(kl_gradient).sum() / (norm * kl_gradient.norm());
    Eigen::Index row, column;
    gradient.cwiseAbs().maxCoeff(&row, &column);
    std::printf("%-18s %8.5f  %11.5f  %12.3f  row %td, class %td\n", name, double(value),
                double(norm), double(cosine), row, column);

    // what every one of them promises: never negative, 0 for equals, and no pull then either
    float const none = divot::value_and_gradient(what, student, student, gradient);
    good = good && value > 0 && std::isfinite(norm) && none == 0 && gradient.norm() == 0;
  }
};

int main() {
  // a two-humped teacher, a student that found one hump, and one sure of the wrong class
  matrix teacher(2, 6), student(2, 6);
  teacher << 4, 3, 0, 0, 3, 4,  //
      5, 1, 0, 0, 0, 0;
  student << 4, 3, 1, 0, -1, -2,  //
      0, 1, 4, 0, 0, 0;

  comparison compare(teacher, student);
  compare("KL", divot::kl{});
  compare("reverse KL", divot::reverse_kl{});
  compare("Jeffreys", divot::jeffreys{});
  compare("Jensen-Shannon", divot::jensen_shannon{});
  compare("skew KL, 0.1", divot::skew_kl{.teacher_weight = 0.1});
  compare("squared Hellinger", divot::squared_hellinger{});
  compare("total variation", divot::total_variation{});
  compare("alpha-beta .2 .7", divot::alpha_beta{.alpha = 0.2, .beta = 0.7});
  compare("WSD", 0.3 * divot::kl{} + 0.7 * divot::reverse_kl{});
  compare("KL at T = 4, T^2", divot::at(4, divot::kl{}, divot::t_squared));
  return compare.good ? 0 : 1;
}
