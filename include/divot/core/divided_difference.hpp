// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace divot {
inline namespace DIVOT_ABI {

/// exp[x₀, …, x_{N−1}]·e^{shift}: the divided difference of exp over nodes that may coincide.
///
/// Over a spread up to 4 by the series e^{min} Σ_k h_k(x − min)/(k + N − 1)!, whose terms are all
/// positive; beyond it by the recurrence, whose subtraction is harmless there.
/// Ref  McCurdy, Ng and Parlett (1984), Math. Comp. 43(168), 501–528
template <std::size_t N>
long double exp_divided_difference(std::array<long double, N> x, long double shift) {
  std::sort(x.begin(), x.end());
  if constexpr (N == 1) {
    return std::exp(x[0] + shift);
  } else {
    long double const spread = x[N - 1] - x[0];
    if (spread > 4) {
      std::array<long double, N - 1> low, high;
      std::copy(x.begin(), x.end() - 1, low.begin());
      std::copy(x.begin() + 1, x.end(), high.begin());
      return (exp_divided_difference(high, shift) - exp_divided_difference(low, shift)) / spread;
    }
    // complete homogeneous polynomials h_k, degree by degree: h_k(x₀…x_j) = h_k(…x_{j−1}) + x_j
    // h_{k−1}
    std::array<long double, N> h;
    h.fill(1);
    long double factorial = 1;
    for (std::size_t i = 2; i < N; ++i) factorial *= static_cast<long double>(i);
    long double sum = 1 / factorial;
    for (int k = 1; k < 60; ++k) {
      h[0] *= x[0] - x[0];
      for (std::size_t j = 1; j < N; ++j) h[j] = h[j - 1] + (x[j] - x[0]) * h[j];
      factorial *= static_cast<long double>(k + static_cast<int>(N) - 1);
      long double const term = h[N - 1] / factorial;
      sum += term;
      if (term < 1e-21L * sum) break;
    }
    return std::exp(x[0] + shift) * sum;
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
