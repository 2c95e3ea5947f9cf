// expect: divot: mixture\(t1, t2, weights\): the teachers are logits
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <array>

void wrong(Eigen::MatrixXf const& p, Eigen::MatrixXf const& s) {
  divot::value(divot::kl{}, divot::mixture(divot::probabilities(p), s, std::array{.5, .5}), s);
}
