// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "students.hpp"

#include <vector>

namespace digits {

constexpr Eigen::Index shown_per_digit = 5;
constexpr char const* student_of_plans = "KL + 0.8 SinKD";

/// How a student's distributions are carried to the teacher's, on a few test images of each digit.
struct transport_plan {
  int step = 0;          ///< of training
  Eigen::MatrixXd mass;  ///< students × teachers, by digit; a row adds up to 1
  double own_digit = 0;  ///< the share that goes to images of the same digit
  double own_image = 0;  ///< and to the very image
};

/// The plans after so many steps, at SinKD's costs: L1 distances at temperature 2, ε = 0.1.
std::vector<transport_plan> follow_plans(loss const& what, lesson const& from, exam const& test,
                                         settings const& how, std::vector<int> const& steps);

}  // namespace digits
