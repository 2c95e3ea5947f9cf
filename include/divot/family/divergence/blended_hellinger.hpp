// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/parameter.hpp>
#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>
#include <divot/family/probability_ratio.hpp>

namespace divot {

/// Blended weight Hellinger distance, f(u) = ½ ((u − 1)/(ω√u + 1 − ω))², ω = teacher_weight.
///
///   D(p, q) = ½ Σ_k ((p_k − q_k)/(ω √p_k + (1 − ω) √q_k))²
///
/// From half of Pearson's χ² (ω → 0) by twice squared_hellinger (ω = ½) to half of Neyman's (ω →
/// 1), bounded in between.
///
/// Domain    ω in [1/64, 63/64]
/// Limits    p_k = 0 adds q_k/(2(1 − ω)²); q_k = 0 adds p_k/(2ω²)
/// Range     [0, ½ (ω^{−2} + (1 − ω)^{−2})]
/// Gradient  with respect to logits: (w_k − q_k Σw)/T,
///           w = −½ √q (p − q) ((1 − ω)(p + q) + 2ω√(pq))/(ω√p + (1 − ω)√q)³
/// Ref       Lindsay (1994), Ann. Statist. 22(2), 1081–1114
struct blended_hellinger {
  double teacher_weight = 0.25;
};

inline namespace DIVOT_ABI {

class bound_blended_hellinger {
 public:
  static constexpr bool needs_logs = false;
  static constexpr double roundings = 2;
  static constexpr bool needs_exact_offset() { return false; }

  DIVOT_HD bound_blended_hellinger(double weight, double rest)
      : weight_(weight),
        rest_(rest),
        odds_(weight / rest),
        at_zero_(.5 / (rest * rest)),
        twice_(2 * weight) {
    far_ = half_way(*this, at_zero_.wide);
  }

  DIVOT_HD double far_from() const { return far_.wide; }
  DIVOT_HD class_limits limits() const {
    double const at_infinity = .5 / (weight_.wide * weight_.wide);
    return {at_zero_.wide, 0, at_zero_.wide, at_infinity, 0, -unbounded};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    // in units of the larger of p and q: root the other's square root, distance their difference
    auto const above = x.ell > V(0);
    V const larger = math::max(x.p, x.q);
    V const down = -math::abs(x.ell);
    V const root = smaller_over_larger(x, half_power_, V(down * constant<V>(.5)));
    V const square = root * root;
    V const near_distance = math::fnma(V(down * down), math::expm1_tail(down), V(-down));
    V const distance = math::select(is_near(x.ell), near_distance, V(V(1) - square));
    V const weight = weight_.on<V>(), rest = rest_.on<V>();
    V const inverse = math::quotient(
        V(1), math::select(above, math::fma(rest, root, weight), math::fma(weight, root, rest)));
    V const ratio = distance * inverse;
    V const half = larger * constant<V>(.5);
    V const inner = math::fma(rest, V(V(1) + square), V(twice_.on<V>() * root));
    V const size = (half * ratio) * (inner * (inverse * inverse));
    V w = math::select(above, V(-(size * root)), size);
    V const gauge = row_gauge(anchor, far_.on<V>());
    if (math::any<V>(gauge == V(0))) {
      // less f(0): with y = ω√u/(1 − ω), −f(0) (y (1 + 2u + 3y + y²) + u²)/(1 + y)³
      V const y = odds_.on<V>() * root;
      V const by_y = math::fma(y, V(V(3) + y), math::fma(V(2), square, V(1)));
      V const share = math::quotient(V(1), V(V(1) + y));
      V const below = math::fma(y, by_y, V(square * square)) * (share * (share * share));
      V const q_zero = at_zero_.on<V>() * x.q;
      V const far = math::select(above, V(w - q_zero), V(-(q_zero * below)));
      w = math::select(gauge == V(0), far, w);
    }
    return {V(half * (ratio * ratio)), w};
  }
  DIVOT_HD bound_blended_hellinger dual() const { return {rest_.wide, weight_.wide}; }

 private:
  parameter weight_, rest_;  // ω, 1 − ω
  parameter odds_;           // ω/(1 − ω)
  parameter at_zero_;
  parameter twice_;  // 2ω
  parameter far_ = -near_bound;
  exponent half_power_ = exponent(.5);
};

inline bound_blended_hellinger bound_of(blended_hellinger const& d) {
  double const weight = d.teacher_weight;
  if (!(weight >= 1. / 64 && weight <= 63. / 64)) {
    fail("blended_hellinger: teacher_weight is ", weight, "; it must be in [1/64, 63/64]");
  }
  return {weight, 1 - weight};
}

struct blended_hellinger_generator {
  double weight, rest = 1 - weight;
  double at_zero = .5 / (rest * rest), slope_at_infinity = .5 / (weight * weight);
  template <class T>
  DIVOT_HD T f(T const& u) const {
    T const g = T((u - T(1)) / mean(u));
    return T(g * g / T(2));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    T const m = mean(u);
    return T((u - T(1)) * growth(u) / (m * m * m));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    using std::sqrt;
    T const r = sqrt(u), m = mean(u), n = growth(u), u_less = T(u - T(1));
    T const turn = T(T(weight) * (u_less / (T(4) * u) - n / m));
    return T((n * n / m + u_less * turn / r) / (m * m * m));
  }

 private:
  template <class T>
  DIVOT_HD T mean(T const& u) const {
    using std::sqrt;
    return T(T(weight) * sqrt(u) + T(rest));
  }
  template <class T>
  DIVOT_HD T growth(T const& u) const {
    using std::sqrt;
    T const r = sqrt(u);
    return T(T(rest) + T(weight) * (r + T(1) / r) / T(2));
  }
};
inline blended_hellinger_generator generator(blended_hellinger const& d) {
  return {d.teacher_weight};
}

inline auto describe(blended_hellinger const&) {
  return description{
      "blended_hellinger",
      "½ Σ ((p − q)/(ω√p + (1 − ω)√q))²",
      {parameter_of<blended_hellinger>{&blended_hellinger::teacher_weight, "teacher_weight",
                                       "ω in [1/64, 63/64]", 1. / 64, 63. / 64}},
      "half of pearson, 2 squared_hellinger, half of neyman as ω goes from 0 by ½ to 1"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
