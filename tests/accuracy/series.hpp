// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Two tools of the reference: power series in ell = ln(p/q), which give a generator f(e^ell) all
// its digits near p = q from the textbook formula of f, and divided differences of exp.

#include <accuracy/quad.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace reference {

/// A power series in one variable, cut off.
struct series {
  static constexpr std::size_t terms = 28;
  std::array<quad, terms> c{};

  series() = default;
  series(quad constant) { c[0] = constant; }
  series(int constant) { c[0] = constant; }

  /// e^x as a series in x.
  static series exponential() {
    series s;
    quad term = 1;
    for (std::size_t n = 0; n < terms; ++n) {
      s.c[n] = term;
      term /= static_cast<int>(n) + 1;
    }
    return s;
  }

  /// Σ_{n ≥ 2} c_n x^(n−2) for |x| < 1/8: what is left of a generator with f(1) = f'(1) = 0.
  quad beyond_second(quad x) const {
    quad sum = 0;
    for (std::size_t n = abs(x) < 0x1p-13 ? 11 : abs(x) < 0x1p-10 ? 14 : terms; n-- > 2;)
      sum = sum * x + c[n];
    return sum;
  }
};

inline series operator+(series a, series const& b) {
  for (std::size_t n = 0; n < series::terms; ++n) a.c[n] += b.c[n];
  return a;
}
inline series operator-(series a, series const& b) {
  for (std::size_t n = 0; n < series::terms; ++n) a.c[n] -= b.c[n];
  return a;
}
inline series operator*(series const& a, series const& b) {
  series product;
  for (std::size_t n = 0; n < series::terms; ++n) {
    for (std::size_t i = 0; i <= n; ++i) product.c[n] += a.c[i] * b.c[n - i];
  }
  return product;
}
inline series operator/(series const& a, series const& b) {
  series ratio;
  for (std::size_t n = 0; n < series::terms; ++n) {
    quad rest = a.c[n];
    for (std::size_t i = 0; i < n; ++i) rest -= ratio.c[i] * b.c[n - i];
    ratio.c[n] = rest / b.c[0];
  }
  return ratio;
}
/// From a·(log a)' = a'.
inline series log(series const& a) {
  series result;
  result.c[0] = log(a.c[0]);
  for (std::size_t n = 1; n < series::terms; ++n) {
    quad rest = static_cast<int>(n) * a.c[n];
    for (std::size_t i = 1; i < n; ++i) rest -= static_cast<int>(i) * result.c[i] * a.c[n - i];
    result.c[n] = rest / (static_cast<int>(n) * a.c[0]);
  }
  return result;
}
/// From r·r = a.
inline series sqrt(series const& a) {
  series root;
  root.c[0] = sqrt(a.c[0]);
  for (std::size_t n = 1; n < series::terms; ++n) {
    quad rest = a.c[n];
    for (std::size_t i = 1; i < n; ++i) rest -= root.c[i] * root.c[n - i];
    root.c[n] = rest / (2 * root.c[0]);
  }
  return root;
}

/// The divided difference exp[x₀, …, x_{N−1}], to the last digits wherever the nodes lie.
///
/// Relative to the smallest node, Σ h_n/(n + N − 1)! with h_n the complete homogeneous polynomials
/// of the others has only positive terms; spread nodes go by the recursion, which then hardly
/// cancels.
template <std::size_t N>
quad exp_divided(std::array<quad, N> x) {
  std::sort(x.begin(), x.end());
  quad const spread = x[N - 1] - x[0];
  if constexpr (N == 1) {
    return exp(x[0]);
  } else if constexpr (N == 2) {
    return spread == 0 ? exp(x[0]) : exp(x[0]) * expm1(spread) / spread;
  } else {
    if (spread > 4) {
      std::array<quad, N - 1> lower, upper;
      std::copy(x.begin(), x.end() - 1, lower.begin());
      std::copy(x.begin() + 1, x.end(), upper.begin());
      return (exp_divided(upper) - exp_divided(lower)) / spread;
    }
    std::array<quad, N> h{};  // h[j] = h_n(x₁ − x₀, …, x_j − x₀)
    for (std::size_t j = 1; j < N; ++j) h[j] = 1;
    quad scale = 1;  // 1/(n + N − 1)!
    for (std::size_t n = 2; n < N; ++n) scale /= static_cast<int>(n);
    quad sum = scale;
    for (int n = 1; n < 200; ++n) {
      scale /= n + static_cast<int>(N) - 1;
      for (std::size_t j = 1; j < N; ++j) h[j] = h[j - 1] + (x[j] - x[0]) * h[j];
      quad const term = scale * h[N - 1];
      sum += term;
      if (term <= sum * 1e-37) break;
    }
    return x[0] == 0 ? sum : exp(x[0]) * sum;
  }
}

}  // namespace reference
