// expect: divot: diagnostics come with losses of single rows, not with sinkd
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXd const& student, Eigen::MatrixXd& g,
           divot::diagnostics<double>& d) {
  divot::gradient(divot::kl{} + divot::sinkd{}, teacher, student,
                  divot::gradients().student(g).diagnostics(d));
}
