// expect: divot: mixture\(t1, t2, weights\): the weights come last
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& t, Eigen::MatrixXf const& s) {
  divot::value(divot::kl{}, divot::mixture(t, s), s);
}
