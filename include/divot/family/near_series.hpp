// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/jet.hpp>
#include <divot/core/parameter.hpp>
#include <divot/family/class_point.hpp>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// The series of a smooth f-divergence around p = q, in ell = log(p/q), from φ(ell) = f(e^ell).
///
///   loss = q ell² Σ_n a_n ellⁿ     w = q(φ − φ') = q ell Σ_n b_n ellⁿ
///
/// The coefficients come from Taylor arithmetic in double, once a call; the constant and linear
/// parts of φ are zero for a centred f and are set to exactly that.
class near_series {
 public:
  static constexpr std::size_t order = 24;
  using series = jet<order>;

  near_series() = default;
  /// From φ'(ell) as a series in y = rate·ell without a constant. Its `at` wants y for ell.
  DIVOT_HD static near_series of_slope(series const& slope, double rate) {
    near_series s;
    for (std::size_t n = 0; n + 2 < order; ++n) {
      s.a_[n] = slope.c[n + 1] / (rate * double(n + 2));
      s.b_[n] = (n == 0 ? 0 : slope.c[n] / (rate * double(n + 1))) - slope.c[n + 1];
    }
    return s;
  }
  /// `phi` maps the series of ell to the series of φ; any multiple of (e^ell − 1) is removed.
  template <class Phi>
  DIVOT_HD explicit near_series(Phi const& phi) {
    series const ell = series::variable();
    series f = phi(ell);
    double const slope = f.c[1];
    f = f - series(slope) * (exp(ell) - series(1.));
    for (std::size_t n = 0; n + 2 < order; ++n) a_[n] = f.c[n + 2];
    b_[0] = -2 * f.c[2];
    for (std::size_t n = 1; n + 2 < order; ++n) {
      b_[n] = f.c[n + 1] - double(n + 2) * f.c[n + 2];
    }
  }

  /// How far the series goes in numbers of type T: the |ell|, at most `near_bound`, up to which
  /// the terms that `at` leaves out are below T's last digit. The nearest singularity of φ, as far
  /// off as the last coefficients say, decides.
  template <class T>
  DIVOT_HD double reach() const {
    double singular = 1e3;
    for (std::size_t n = order - 6; n + 2 < order; ++n) {
      double const share = std::abs(b_[n].wide / b_[0].wide);
      if (share > 0) singular = std::min(singular, std::pow(share, -1. / double(n)));
    }
    constexpr double digits = std::is_same_v<T, float> ? 23 : 52;
    double const far = singular * std::exp2(-digits / double(terms<T>));
    return std::min(near_bound, far);
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(V const& q, V const& ell) const {
    constexpr std::size_t n = terms<scalar_of<V>>;
    V const q_ell = q * ell;
    return {V(q_ell * ell * series_sum<(n > 9 ? n : 8)>(ell, a_)),
            V(q_ell * series_sum<n>(ell, b_))};
  }

 private:
  /// Of w; (½/π)^n falls below what the type needs at these orders.
  template <class T>
  static constexpr std::size_t terms = std::is_same_v<T, float> ? 9 : order - 2;

  std::array<parameter, order> a_{}, b_{};
};

}  // namespace DIVOT_ABI
}  // namespace divot
