// expect: divot: f_divergence<F> needs: .* static constexpr double at_zero and slope_at_infinity
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

struct unfinished {  // at_zero is missing
  static constexpr double slope_at_infinity = 1;
  template <class T>
  static T f(T t) {
    return t * log(t);
  }
};

double wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXd const& student) {
  return divot::value(divot::f_divergence<unfinished>{}, teacher, student);
}
