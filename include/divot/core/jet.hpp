// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <array>
#include <cmath>
#include <cstddef>

namespace divot {
inline namespace DIVOT_ABI {

/// A truncated Taylor series c₀ + c₁x + … + c_{N−1}x^{N−1} in double, with the arithmetic and the
/// elementary functions of series. It gives the near-p=q coefficients of a divergence once a call.
template <std::size_t N>
struct jet {
  std::array<double, N> c{};

  jet() = default;
  DIVOT_HD jet(double constant) { c[0] = constant; }  // NOLINT: numbers mix freely with series

  /// The variable x itself.
  DIVOT_HD static jet variable() {
    jet x;
    x.c[1] = 1;
    return x;
  }

  DIVOT_HD friend jet operator+(jet a, jet const& b) {
    for (std::size_t i = 0; i < N; ++i) a.c[i] += b.c[i];
    return a;
  }
  DIVOT_HD friend jet operator-(jet a, jet const& b) {
    for (std::size_t i = 0; i < N; ++i) a.c[i] -= b.c[i];
    return a;
  }
  DIVOT_HD friend jet operator-(jet a) {
    for (double& v : a.c) v = -v;
    return a;
  }
  DIVOT_HD friend jet operator+(jet const& a) { return a; }
  DIVOT_HD friend jet operator*(jet const& a, jet const& b) {
    jet r;
    for (std::size_t n = 0; n < N; ++n) {
      for (std::size_t i = 0; i <= n; ++i) r.c[n] += a.c[i] * b.c[n - i];
    }
    return r;
  }
  DIVOT_HD friend jet operator/(jet const& a, jet const& b) {
    jet r;
    for (std::size_t n = 0; n < N; ++n) {
      double s = a.c[n];
      for (std::size_t i = 0; i < n; ++i) s -= r.c[i] * b.c[n - i];
      r.c[n] = s / b.c[0];
    }
    return r;
  }
  DIVOT_HD jet& operator+=(jet const& b) { return *this = *this + b; }
  DIVOT_HD jet& operator-=(jet const& b) { return *this = *this - b; }
  DIVOT_HD jet& operator*=(jet const& b) { return *this = *this * b; }
  DIVOT_HD jet& operator/=(jet const& b) { return *this = *this / b; }

  DIVOT_HD friend bool operator==(jet const& a, jet const& b) { return a.c[0] == b.c[0]; }
  DIVOT_HD friend bool operator<(jet const& a, jet const& b) { return a.c[0] < b.c[0]; }
  DIVOT_HD friend bool operator>(jet const& a, jet const& b) { return a.c[0] > b.c[0]; }
  DIVOT_HD friend bool operator<=(jet const& a, jet const& b) { return a.c[0] <= b.c[0]; }
  DIVOT_HD friend bool operator>=(jet const& a, jet const& b) { return a.c[0] >= b.c[0]; }

  DIVOT_HD friend jet exp(jet const& a) {
    jet r;
    r.c[0] = std::exp(a.c[0]);
    for (std::size_t n = 1; n < N; ++n) {
      for (std::size_t i = 1; i <= n; ++i) r.c[n] += double(i) * a.c[i] * r.c[n - i];
      r.c[n] /= double(n);
    }
    return r;
  }
  DIVOT_HD friend jet log(jet const& a) {
    jet r;
    r.c[0] = std::log(a.c[0]);
    for (std::size_t n = 1; n < N; ++n) {
      double s = double(n) * a.c[n];
      for (std::size_t i = 1; i < n; ++i) s -= double(i) * r.c[i] * a.c[n - i];
      r.c[n] = s / (double(n) * a.c[0]);
    }
    return r;
  }
  DIVOT_HD friend jet pow(jet const& a, double e) {
    jet r;
    r.c[0] = std::pow(a.c[0], e);
    for (std::size_t n = 1; n < N; ++n) {
      for (std::size_t i = 1; i <= n; ++i) {
        // the quotient first: products of coefficients may leave their range
        r.c[n] += (e * double(i) - double(n - i)) * (a.c[i] / a.c[0]) * r.c[n - i];
      }
      r.c[n] /= double(n);
    }
    return r;
  }
  DIVOT_HD friend jet sqrt(jet const& a) { return pow(a, .5); }
  DIVOT_HD friend jet log1p(jet const& a) { return log(jet(1.) + a); }
  DIVOT_HD friend jet expm1(jet const& a) { return exp(a) - jet(1.); }
  DIVOT_HD friend jet abs(jet const& a) { return a.c[0] < 0 ? -a : a; }
  DIVOT_HD friend jet max(jet const& a, jet const& b) { return a.c[0] < b.c[0] ? b : a; }
  DIVOT_HD friend jet min(jet const& a, jet const& b) { return b.c[0] < a.c[0] ? b : a; }
};

}  // namespace DIVOT_ABI
}  // namespace divot
