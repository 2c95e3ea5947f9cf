// expect: divot: softcap, bias, standardise and mask are of logits
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& t, Eigen::MatrixXf const& s) {
  divot::value(divot::kl{}, divot::probabilities(t).softcap(30), s);
}
