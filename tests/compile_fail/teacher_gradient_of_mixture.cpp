// expect: divot: a mixture has no gradient
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <array>

void wrong(Eigen::MatrixXf const& t, Eigen::MatrixXf const& s, Eigen::MatrixXf& g) {
  divot::gradient(divot::kl{}, divot::mixture(t, s, std::array{.5, .5}), s,
                  divot::gradients().teacher(g));
}
