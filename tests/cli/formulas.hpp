// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

namespace cli_test {

using numbers = std::vector<double>;

inline double log_sum_exp(numbers const& x, double temperature) {
  double sum = 0;
  for (double const v : x) sum += std::exp(v / temperature);
  return std::log(sum);
}
inline numbers softmax(numbers const& x, double temperature) {
  double const lse = log_sum_exp(x, temperature);
  numbers p;
  for (double const v : x) p.push_back(std::exp(v / temperature - lse));
  return p;
}
inline double kl(numbers const& p, numbers const& q) {
  double sum = 0;
  for (std::size_t k = 0; k < p.size(); ++k) sum += p[k] * std::log(p[k] / q[k]);
  return sum;
}
inline numbers mix(double weight, numbers const& p, numbers const& q) {
  numbers m;
  for (std::size_t k = 0; k < p.size(); ++k) m.push_back(weight * p[k] + (1 - weight) * q[k]);
  return m;
}
/// Row i of a matrix with so many classes.
inline numbers row_of(numbers const& matrix, std::size_t i, std::size_t classes) {
  auto const begin = matrix.begin() + static_cast<std::ptrdiff_t>(i * classes);
  return {begin, begin + classes};
}

/// Central differences in every element of x.
inline numbers differences(numbers x, std::function<double(numbers const&)> const& f) {
  constexpr double step = 1e-5;
  numbers out;
  for (double& element : x) {
    double const at = element;
    element = at + step;
    double const above = f(x);
    element = at - step;
    out.push_back((above - f(x)) / (2 * step));
    element = at;
  }
  return out;
}

inline void check_close(numbers const& a, numbers const& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k) CHECK(std::abs(a[k] - b[k]) <= tolerance);
}

}  // namespace cli_test
