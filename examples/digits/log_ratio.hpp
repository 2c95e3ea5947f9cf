// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "exam.hpp"
#include "losses.hpp"

#include <vector>

namespace digits {

/// LogR: what one step of gradient descent on the logits does to the logarithm of every class's
/// probability, beside what the gradient g says it should do, −η (g_k − Σ_i q_i g_i).
struct log_ratio {
  digits::role role;
  double predicted = 0, measured = 0;
};

struct log_ratios {
  double rate = 0;  ///< η, such that the largest prediction is `log_ratio_span`
  std::vector<log_ratio> classes;
  double largest_gap = 0;  ///< between prediction and measurement
  double slope = 0;        ///< of the measured values over the predicted ones, by least squares
};

constexpr double log_ratio_span = 0.3;

/// For the given test images and a student's logits for them.
log_ratios step_and_measure(loss const& what, exam const& test,
                            std::vector<Eigen::Index> const& images, matrix const& logits);

}  // namespace digits
