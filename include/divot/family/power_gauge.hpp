// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/parameter.hpp>
#include <divot/core/power.hpp>

#include <algorithm>
#include <array>

namespace divot {
inline namespace DIVOT_ABI {

/// (1 − x)^m (1 + m x) − 1 for 0 ≤ x ≤ .8, of second order in x: what is left of the slope of a
/// power of |p − q| in the gauge that vanishes with p.
class power_gauge {
 public:
  DIVOT_HD explicit power_gauge(double m) : m_(m), scale_(std::max(m, 2.)), whole_(m) {
    // the binomial series in scale·x
    double binomial = 1, unit = 1;
    for (std::size_t n = 1; n < order; ++n) {
      double const before = binomial;
      binomial *= (double(n) - 1 - m) / double(n);
      unit /= scale_.wide;
      if (n >= 2) series_[n - 2] = unit * (binomial + m * before);
    }
  }

  template <class V>
  DIVOT_INLINE V at(V const& x) const {
    constexpr std::size_t terms = std::is_same_v<scalar_of<V>, float> ? 12 : 26;
    V const m = m_.on<V>();
    V const y = scale_.on<V>() * x;
    if (whole_.whole >= 0) {  // a polynomial; for large x what it is of
      V const power = math::power(V(V(1) - x), whole_);
      return math::select(x < constant<V>(.5), V((y * y) * series_sum<6>(y, series_)),
                          math::fms(power, math::fma(m, x, V(1)), V(1)));
    }
    V const near = (y * y) * series_sum<terms>(y, series_);
    V const less = math::power_of_rest_less_1(math::min(x, constant<V>(.8)), whole_);
    V const far = math::fma(V(m * x), V(less + V(1)), less);
    return math::select(y < constant<V>(.5), near, far);
  }

 private:
  static constexpr std::size_t order = 28;
  parameter m_, scale_;
  exponent whole_;  // m
  std::array<parameter, order> series_{};
};

}  // namespace DIVOT_ABI
}  // namespace divot
