// expect: divot: at\(T, \.\.\.\) does not reach sinkd, .*sinkd\{\.temperature = T\}
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong(Eigen::MatrixXd const& teacher, Eigen::MatrixXd const& student) {
  return divot::value(divot::at(4, divot::kl{} + 0.8 * divot::sinkd{}, divot::t_squared), teacher,
                      student);
}
