// expect: divot: a bias is a vector
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& t, Eigen::MatrixXf const& s) {
  divot::value(divot::kl{}, t, divot::logits(s).bias(t));
}
