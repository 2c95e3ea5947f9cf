// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

// The generator f of an f-divergence D(p‖q) = Σ q f(p/q) is convex, with f(1) = f'(1) = 0 where it
// is smooth there. `generator(D)` gives it, with
//
//   f(u), slope(u), curvature(u)   f, f' and f'' at u > 0, for double and types with their own
//                                  exp, log, sqrt and pow
//   at_zero, slope_at_infinity     f(0) and lim f(u)/u, may be infinite
//
// Reverses, skews, multiples and sums have theirs from those of what they are made of, an own f
// from itself. And where there is a closed form, its convex conjugate between f'(0) and f'(∞):
//
//   closed_conjugate(t)            sup_u (u t − f(u))
//
// `conjugate(generator, t)` gives that for every generator and every t, so that a variational bound
// D(p‖q) ≥ E_p[t] − E_q[f*(t)] can be written (Nguyen, Wainwright and Jordan 2010, IEEE Trans. Inf.
// Theory 56(11), 5847–5861).

/// f*(t) = sup_{u ≥ 0} (u t − f(u)): +inf above f'(∞), −f(0) at and below f'(0).
template <class Generator>
double conjugate(Generator const& g, double t) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (t > g.slope_at_infinity) return infinite;
  // f' rises with u: an interval of log u around it
  auto const too_low = [&](double log_u) { return g.slope(std::exp(log_u)) < t; };
  double low = 0, high = 0, step = .5;
  if (too_low(0)) {
    // where f ends up straight, u t and f(u) soon agree in all digits
    double const most = g.slope_at_infinity < infinite ? 20 : 709;
    for (; high < most && too_low(high); step *= 2) low = high, high = std::min(high + step, most);
    if (g.slope_at_infinity == infinite && too_low(high)) return infinite;  // out of range
  } else {
    double const least = g.at_zero < infinite ? -33 : -740;
    for (; low > least && !too_low(low); step *= 2) high = low, low = std::max(low - step, least);
    if (!too_low(low) && g.at_zero < infinite) return -g.at_zero;
  }
  if constexpr (requires { g.closed_conjugate(t); }) {
    return g.closed_conjugate(t);
  } else {
    for (int i = 0; i < 80; ++i) {
      double const middle = .5 * (low + high);
      (too_low(middle) ? low : high) = middle;
    }
    double const u = std::exp(.5 * (low + high));
    double const value = u * t - g.f(u);
    return std::isnan(value) ? infinite : value;  // both beyond the range
  }
}

/// The generator of a divergence with its arguments exchanged: u f(1/u). Where f'(∞) is finite its
/// slope for small u is a difference of large numbers, with an error of about 1e-16/u.
template <class Generator>
struct reversed_generator {
  Generator of;
  double at_zero = of.slope_at_infinity, slope_at_infinity = of.at_zero;
  template <class T>
  T f(T const& u) const {
    return T(u * of.f(T(T(1) / u)));
  }
  template <class T>
  T slope(T const& u) const {
    T const v = T(T(1) / u);
    return T(of.f(v) - v * of.slope(v));
  }
  template <class T>
  T curvature(T const& u) const {
    T const v = T(T(1) / u);
    return T(of.curvature(v) * v * v * v);
  }
};

/// The generator of a divergence to the mixture πp + (1 − π)q: m f(u/m), m = πu + 1 − π.
template <class Generator>
struct skewed_generator {
  Generator of;
  double pi;
  double at_zero = (1 - pi) * of.at_zero, slope_at_infinity = pi * of.f(1 / pi);
  template <class T>
  T f(T const& u) const {
    T const m = mixture(u);
    return T(m * of.f(T(u / m)));
  }
  template <class T>
  T slope(T const& u) const {
    T const m = mixture(u), v = T(u / m);
    return T(T(pi) * of.f(v) + T(1 - pi) * of.slope(v) / m);
  }
  template <class T>
  T curvature(T const& u) const {
    T const m = mixture(u);
    return T(T((1 - pi) * (1 - pi)) * of.curvature(T(u / m)) / (m * m * m));
  }

 private:
  template <class T>
  T mixture(T const& u) const {
    return T(T(pi) * u + T(1 - pi));
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
