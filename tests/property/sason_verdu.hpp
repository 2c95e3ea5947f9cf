// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// An f-divergence without its generator: an integral over hockey-stick divergences.

#include <property/laws.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace laws {

/// Σ (p − gamma·q)₊.
inline double hockey_stick(row const& p, row const& q, double gamma) {
  double sum = 0;
  for (std::size_t k = 0; k < p.size(); ++k) sum += std::max(0., p[k] - gamma * q[k]);
  return sum;
}

/// ∫₁^∞ f''(g) E_g(p‖q) + f''(1/g) E_g(q‖p)/g³ dg: Sason and Verdú's form of D(p‖q), which needs no
/// generator, only its curvature. With g = e^x the integrand is smooth between the |ln(p/q)|.
template <class Curvature>
double sason_verdu(Curvature curvature, row const& p, row const& q) {
  static constexpr std::array<double, 4> nodes{0.1834346424956498, 0.5255324099163290,
                                               0.7966664774136267, 0.9602898564975363};
  static constexpr std::array<double, 4> weights{0.3626837833783620, 0.3137066458778873,
                                                 0.2223810344533745, 0.1012285362903763};
  row breaks{0};
  for (std::size_t k = 0; k < p.size(); ++k) breaks.push_back(std::abs(std::log(p[k] / q[k])));
  std::sort(breaks.begin(), breaks.end());
  auto const integrand = [&](double x) {
    double const g = std::exp(x);
    return g * (curvature(g) * hockey_stick(p, q, g) +
                curvature(1 / g) * hockey_stick(q, p, g) / (g * g * g));
  };
  double sum = 0;
  for (std::size_t i = 0; i + 1 < breaks.size(); ++i) {
    int const parts = 1 + static_cast<int>(8 * (breaks[i + 1] - breaks[i]));
    double const half = (breaks[i + 1] - breaks[i]) / (2 * parts);
    for (int j = 0; j < parts; ++j) {
      double const middle = breaks[i] + (2 * j + 1) * half;
      for (std::size_t n = 0; n < nodes.size(); ++n) {
        sum += half * weights[n] *
               (integrand(middle - half * nodes[n]) + integrand(middle + half * nodes[n]));
      }
    }
  }
  return sum;
}

}  // namespace laws
