// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/parameter.hpp>
#include <divot/family/class_point.hpp>

#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// The mixture m = πp + (1 − π)q of a class and its logarithms, relative to the larger summand's.
class class_mixture {
 public:
  /// rest is 1 − π, given apart because either may be tiny.
  DIVOT_HD class_mixture(double pi, double rest)
      : weight_(pi),
        rest_(rest),
        log_weight_(pi < .5 ? std::log(pi) : std::log1p(-rest)),
        log_rest_(pi < .5 ? std::log1p(-pi) : std::log(rest)),
        log_ratio_(log_weight_.wide - log_rest_.wide) {}

  template <class V>
  struct parts {
    V teacher, student;  // πp, (1 − π)q
    V mixture;
    V log_increase;            // ln(m/larger summand), in [0, ln 2]
    V log_over_p, log_over_q;  // ln(m/p), ln(m/q)
  };
  template <class V>
  DIVOT_INLINE parts<V> at(class_point<V> const& x) const {
    parts<V> m;
    m.teacher = weight_.on<V>() * x.p;
    m.student = rest_.on<V>() * x.q;
    m.mixture = math::max(V(m.teacher + m.student), smallest_normal<V>());
    m.log_increase =
        math::log1p_ratio(math::min(m.teacher, m.student),
                          math::max(math::max(m.teacher, m.student), smallest_normal<V>()));
    // the larger summand by ell, which is there where the summands have underflowed
    m.log_over_p = math::max(V(log_rest_.on<V>() - x.ell), log_weight_.on<V>()) + m.log_increase;
    m.log_over_q = math::max(V(log_weight_.on<V>() + x.ell), log_rest_.on<V>()) + m.log_increase;
    return m;
  }
  /// ln(m/q) − ln(1 − π), which vanishes with p.
  template <class V>
  DIVOT_INLINE V shifted_over_q(class_point<V> const& x, parts<V> const& m) const {
    return V(math::max(V(log_ratio_.on<V>() + x.ell), V(0)) + m.log_increase);
  }
  /// ln(m/p) − ln π, which vanishes with q.
  template <class V>
  DIVOT_INLINE V shifted_over_p(class_point<V> const& x, parts<V> const& m) const {
    return V(math::max(V(-(log_ratio_.on<V>() + x.ell)), V(0)) + m.log_increase);
  }

  DIVOT_HD parameter const& weight() const { return weight_; }
  DIVOT_HD parameter const& rest() const { return rest_; }
  DIVOT_HD parameter const& log_weight() const { return log_weight_; }
  DIVOT_HD parameter const& log_rest() const { return log_rest_; }
  /// ln(π/(1 − π))
  DIVOT_HD parameter const& log_ratio() const { return log_ratio_; }

 private:
  parameter weight_, rest_, log_weight_, log_rest_, log_ratio_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
