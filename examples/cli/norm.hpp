// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace cli {

/// Largest absolute value of a matrix; NaN if there is one.
template <class Matrix>
double largest_modulus(Matrix const& m) {
  double largest = 0;
  for (auto const* x = m.data(); x != m.data() + m.size(); ++x) {
    double const modulus = std::abs(static_cast<double>(*x));
    if (std::isnan(modulus)) return modulus;
    largest = std::max(largest, modulus);
  }
  return largest;
}

/// Euclidean norm of all elements, in double, scaled so that squares neither overflow nor vanish.
template <class Matrix>
double norm(Matrix const& m) {
  double const largest = largest_modulus(m);
  if (largest == 0 || !std::isfinite(largest)) return largest;
  double sum = 0;
  for (auto const* x = m.data(); x != m.data() + m.size(); ++x) {
    double const part = static_cast<double>(*x) / largest;
    sum += part * part;
  }
  return largest * std::sqrt(sum);
}

/// Cosine of the angle between two matrices; NaN where one is zero or not finite.
template <class Matrix>
double cosine(Matrix const& a, Matrix const& b) {
  double const size_a = norm(a), size_b = norm(b);
  if (!std::isfinite(size_a) || !std::isfinite(size_b) || size_a == 0 || size_b == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double sum = 0;
  for (auto i = 0 * a.size(); i < a.size(); ++i) {
    sum += static_cast<double>(a.data()[i]) / size_a * (static_cast<double>(b.data()[i]) / size_b);
  }
  return std::clamp(sum, -1., 1.);
}

}  // namespace cli
