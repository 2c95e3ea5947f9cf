// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "humps.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <divot/divot.hpp>
#include <limits>
#include <numbers>

namespace digits {

namespace {

/// Adam on the mean and the logarithm of the width.
valley descend(loss const& what, matrix const& teacher, gaussian start) {
  constexpr int steps = 600;
  constexpr double rate = 0.05, forget_mean = 0.9, forget_square = 0.99;
  std::array<double, 2> at = {start.mean, std::log(start.width)}, mean = {}, square = {};
  auto const student = [&] { return gaussian{at[0], std::exp(at[1])}; };
  matrix gradient(1, line::points);
  valley end;
  for (int step = 1; step <= steps; ++step) {
    gaussian const now = student();
    end.value = what.value_and_gradient(teachers(teacher), {}, student_logits(now), gradient);
    end.student = now;

    // z = −(x − mean)²/(2 width²)
    std::array<double, 2> slope = {};
    for (Eigen::Index i = 0; i < line::points; ++i) {
      double const distance = (line::at(i) - now.mean) / now.width;
      double const g = gradient(0, i);
      slope[0] += g * distance / now.width;
      slope[1] += g * distance * distance;
    }
    double const falling = rate * std::min(1., 2 * (1 - static_cast<double>(step) / steps));
    for (std::size_t k = 0; k < 2; ++k) {
      mean[k] = forget_mean * mean[k] + (1 - forget_mean) * slope[k];
      square[k] = forget_square * square[k] + (1 - forget_square) * slope[k] * slope[k];
      double const m = mean[k] / (1 - std::pow(forget_mean, step));
      double const s = square[k] / (1 - std::pow(forget_square, step));
      at[k] -= falling * m / (std::sqrt(s) + 1e-12);
    }
  }
  return end;
}

/// Of a Gaussian, between two points.
double mass_between(gaussian const& g, double from, double to) {
  auto const below = [&](double x) {
    return 0.5 * std::erfc((g.mean - x) / (g.width * std::numbers::sqrt2));
  };
  return below(to) - below(from);
}

}  // namespace

matrix teacher_logits() {
  return matrix::NullaryExpr(1, line::points, [](Eigen::Index, Eigen::Index i) {
    double sum = 0;
    for (hump const& each : humps) {
      double const distance = (line::at(i) - each.mean) / each.width;
      sum += each.weight / each.width * std::exp(-0.5 * distance * distance);
    }
    return static_cast<float>(std::log(sum));
  });
}

matrix student_logits(gaussian const& student) {
  return matrix::NullaryExpr(1, line::points, [&](Eigen::Index, Eigen::Index i) {
    double const distance = (line::at(i) - student.mean) / student.width;
    return static_cast<float>(-0.5 * distance * distance);
  });
}

std::vector<double> density(matrix const& logits) {
  matrix probability(logits.rows(), logits.cols());
  divot::softmax(divot::simd, logits, probability);
  std::vector<double> result(probability.data(), probability.data() + probability.size());
  for (double& each : result) each /= line::step;
  return result;
}

std::vector<valley> fit(loss const& what) {
  matrix const teacher = teacher_logits();
  std::vector<valley> ends;
  gaussian const starts[] = {
      {humps[0].mean, humps[0].width}, {humps[1].mean, humps[1].width}, {0, 2.5}, {-1, 1.5}};
  for (gaussian const& start : starts) {
    valley const end = descend(what, teacher, start);
    if (!std::isfinite(end.value) || !std::isfinite(end.student.mean)) continue;
    bool const known = std::any_of(ends.begin(), ends.end(), [&](valley const& other) {
      return std::abs(other.student.mean - end.student.mean) < 0.1;
    });
    if (!known) ends.push_back(end);
  }
  std::sort(ends.begin(), ends.end(),
            [](valley const& a, valley const& b) { return a.value < b.value; });
  if (ends.empty()) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    ends.push_back({{none, none}, none});
  }
  return ends;
}

double share_of_one_hump(gaussian const& student) {
  double best = 0;
  for (hump const& each : humps) {
    best = std::max(
        best, mass_between(student, each.mean - 2.5 * each.width, each.mean + 2.5 * each.width));
  }
  return best;
}

}  // namespace digits
