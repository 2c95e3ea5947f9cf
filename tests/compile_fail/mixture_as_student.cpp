// expect: divot: a mixture is a teacher
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

#include <array>

void wrong(Eigen::MatrixXf const& t, Eigen::MatrixXf const& s) {
  divot::value(divot::kl{}, t, divot::mixture(t, s, std::array{.5, .5}));
}
