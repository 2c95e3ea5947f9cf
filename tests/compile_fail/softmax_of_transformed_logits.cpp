// expect: divot: softmax and its family take logits as they are
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXf const& s, Eigen::MatrixXf& out) {
  divot::softmax(divot::logits(s).softcap(30), out);
}
