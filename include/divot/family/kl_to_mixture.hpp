// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/parameter.hpp>
#include <divot/family/class_point.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

namespace math {

/// 2·atanh(z) − 2z for |z| ≤ 1/3, to 4e-7 (fp32) or its last digits.
template <class V>
DIVOT_INLINE V atanh2_tail_third(V const& z) {
  V const w = z * z;
  if constexpr (std::is_same_v<scalar_of<V>, float>) {
    return V(V(z * w) * polynomial(w, coefficients::atanh_third_float));
  } else {
    return V(V(z * w) * polynomial(w, coefficients::atanh_third_double));
  }
}

}  // namespace math

/// y − log1p(y) for |y/(2 + y)| ≤ 1/3, relatively accurate: y·z − (2 atanh z − 2z), z = y/(2 + y).
DIVOT_HD inline double beyond_log1p(double y) {
  double const z = y / (2 + y);
  return y * z - math::atanh2_tail_third(z);
}

/// −ln(1 − weight) − weight, however small the weight; rest = 1 − weight may be tiny, too.
DIVOT_HD inline double log_excess(double weight, double rest) {
  return weight < .5 ? beyond_log1p(-weight) : -std::log(rest) - weight;
}

/// A class of KL(p‖m) to the mixture m = (1 − share)p + share·q: p (y − log1p(y)), y = m/p − 1.
///
/// y = share·(q/p − 1) is never formed as a difference of nearly equal numbers, and where m lies
/// within a factor of 2 from p neither is y − log1p(y): nothing is lost, however small the share.
class kl_to_mixture {
 public:
  /// rest is 1 − share, given apart because either may be tiny.
  DIVOT_HD kl_to_mixture(double share, double rest)
      : share_(share),
        rest_(rest),
        log_share_(share < .5 ? std::log(share) : std::log1p(-rest)),
        log_rest_(share < .5 ? std::log1p(-share) : std::log(rest)),
        beyond_float_(std::min(share, rest) < 1e-24),
        beyond_double_(std::min(share, rest) < 1e-280) {}

  template <class V>
  struct parts {
    V loss;
    V gap;                  // share·(q − p) = m − p
    V own, other, mixture;  // (1 − share)p, share·q, m
    mask_of<V> close;       // ½ ≤ m/p ≤ 2; there
    V z, tail;              // y/(2 + y) and log1p(y) − 2z
    V log_increase;         // there log1p(y), elsewhere ln(m/larger summand)
    V log_over_p;           // ln(m/p), but not where m/p is close to 1
  };
  template <class V>
  DIVOT_INLINE parts<V> at(class_point<V> const& x) const {
    parts<V> m;
    V const p_ell = x.p * x.ell;
    V const near = math::fms(V(p_ell * x.ell), math::expm1_tail(V(-x.ell)), p_ell);
    m.gap = share_.on<V>() * math::select(is_near(x.ell), near, V(x.q - x.p));
    m.own = rest_.on<V>() * x.p;
    m.other = share_.on<V>() * x.q;
    m.mixture = math::max(V(m.own + m.other), smallest_normal<V>());
    m.close = m.mixture <= V(x.p + x.p) && x.p <= V(m.mixture + m.mixture);
    // one quotient for both: elsewhere that of ln(m/larger) = 2 atanh z
    V const smaller = math::min(m.own, m.other), larger = math::max(m.own, m.other);
    m.z = math::quotient(math::select(m.close, m.gap, smaller),
                         V(m.mixture + math::select(m.close, x.p, larger)));
    m.tail = math::atanh2_tail_third(m.z);
    m.log_increase = math::fma(V(2), m.z, m.tail);
    m.log_over_p = math::max(V(log_share_.on<V>() - x.ell), log_rest_.on<V>()) + m.log_increase;
    m.loss = math::select(m.close, math::fnma(x.p, m.tail, V(m.gap * m.z)),
                          math::fnma(x.p, m.log_over_p, m.gap));
    if constexpr (is_real<scalar_of<V>> && !std::is_same_v<scalar_of<V>, long double>) {
      // the proportions of the mixture are lost where a summand underflows: a wider type has them
      constexpr bool single = std::is_same_v<scalar_of<V>, float>;
      if (single ? beyond_float_ : beyond_double_) {
        auto const lost = m.mixture < constant<V>(single ? 1e-30 : 1e-290);
        V const nan(limits_of<V>::quiet_NaN());
        m.loss = math::select(lost, nan, m.loss);
        m.mixture = math::select(lost, nan, m.mixture);  // so that w is NaN, too
      }
    }
    return m;
  }

  DIVOT_HD parameter const& share() const { return share_; }
  DIVOT_HD parameter const& rest() const { return rest_; }
  DIVOT_HD parameter const& log_rest() const { return log_rest_; }

 private:
  parameter share_, rest_, log_share_, log_rest_;
  bool beyond_float_, beyond_double_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
