// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "losses.hpp"

#include <vector>

namespace digits {

/// The two-humped teacher and what can fit it: distributions over the points of a line.
struct line {
  static constexpr double left = -6, right = 6;
  static constexpr int points = 241;
  static constexpr double step = (right - left) / (points - 1);

  static double at(Eigen::Index i) { return left + step * static_cast<double>(i); }
};

/// A single Gaussian, the student.
struct gaussian {
  double mean = 0, width = 1;
};

struct hump {
  double weight, mean, width;
};
constexpr hump humps[] = {{0.6, -2, 0.8}, {0.4, 2.4, 0.6}};

/// log-probabilities, up to a constant, of the two-humped teacher and of a Gaussian.
matrix teacher_logits();
matrix student_logits(gaussian const& student);
/// Probability per unit of length at each point, for drawing.
std::vector<double> density(matrix const& logits);

/// Where gradient descent ends from one start.
struct valley {
  gaussian student;
  double value = 0;
};

/// Fits the student by Adam, through the loss's gradient with respect to its logits, from several
/// starts: the distinct ends, the lowest first. If every start runs away, one end that is NaN.
std::vector<valley> fit(loss const& what);

/// How much of the student lies on the hump it favours: 1 for one that has chosen a hump.
double share_of_one_hump(gaussian const& student);

}  // namespace digits
