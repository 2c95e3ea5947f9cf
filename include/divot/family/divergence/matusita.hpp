// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/parameter.hpp>
#include <divot/core/power.hpp>
#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>
#include <divot/family/probability_ratio.hpp>

namespace divot {

/// Matusita's divergence, f(u) = |1 − u^a|^{1/a}, a = exponent.
///
///   D(p, q) = Σ_k |p_k^a − q_k^a|^{1/a}
///
/// Domain    1/64 ≤ a ≤ 1; 1 is twice the total variation, ½ the squared Hellinger divergence
/// Limits    p_k = 0 adds q_k; q_k = 0 adds p_k
/// Range     [0, 2] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −sgn(x) q |x|^{1/a−1}, x = (p/q)^a − 1;
///           0 at a tie
/// Cost      1.7 times kl's at a = ½. Another exponent takes two powers a class, in rows whose
/// anchor
///           has p ≪ q three (a floor of 5 exponentials and 3 logarithms with the softmax's): 9.4
///           times kl's at .3, measured in float with AVX-512 by bench_divergence
/// Ref       Matusita (1955), Ann. Math. Statist. 26(4), 631–640
struct matusita {
  double exponent = 0.5;
};

inline namespace DIVOT_ABI {

class bound_matusita {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return true; }

  DIVOT_HD explicit bound_matusita(double a) : a_(a), power_(a), less_(1 / a - 1) {
    far_ = half_way(*this, 1);
  }

  DIVOT_HD double far_from() const { return far_.wide; }
  DIVOT_HD class_limits limits() const { return {1, 0, 1, 1, 0, a_.wide == 1 ? -1 : -unbounded}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor, far_.on<V>());
    auto const below = x.ell < V(0);
    V const fall = V(-math::abs(V(a_.on<V>() * x.ell)));
    V const e = smaller_over_larger(x, power_, fall);
    V const near = math::fnma(V(fall * fall), math::expm1_tail(fall), V(-fall));
    V const distance = math::select(is_near(fall), near, V(V(1) - e));
    V const power = math::power(distance, less_);
    V const larger = math::select(below, x.q, x.p);
    V const tied = math::select(x.ell == V(0), V(0), power);
    // q u^{1−a} = p u^{−a}
    V w = math::select(below, V(x.q * tied), V(-((x.p * e) * tied)));
    w = math::fma(V(gauge - V(1)), x.q, w);
    if (math::any<V>(gauge == V(0))) {
      auto const far = x.ell < constant<V>(-near_bound) && gauge == V(0);
      V const rest = math::power_of_rest_less_1(math::min(e, constant<V>(.9999)), less_);
      w = math::select(far && e < constant<V>(.9999), V(x.q * rest), w);
    }
    return {V(larger * (power * distance)), w};
  }
  DIVOT_HD bound_matusita dual() const { return *this; }

 private:
  parameter a_;
  exponent power_, less_;  // a and 1/a − 1
  parameter far_ = -near_bound;
};

inline bound_matusita bound_of(matusita const& d) {
  if (!(d.exponent >= 1. / 64 && d.exponent <= 1)) {
    fail("matusita: exponent is ", d.exponent, "; it must lie between 1/64 and 1");
  }
  return bound_matusita(d.exponent);
}

struct matusita_generator {
  double a;
  double at_zero = 1, slope_at_infinity = 1;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::abs;
    using std::pow;
    return T(pow(T(abs(T(T(1) - pow(u, a)))), 1 / a));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::abs;
    using std::pow;
    T const size = T(pow(T(abs(T(T(1) - pow(u, a)))), 1 / a - 1) * pow(u, a - 1));
    return u > T(1) ? size : u < T(1) ? T(-size) : T(0);
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    using std::abs;
    using std::pow;
    return T(T(1 - a) * pow(T(abs(T(T(1) - pow(u, a)))), 1 / a - 2) * pow(u, a - 2));
  }
};
inline matusita_generator generator(matusita const& d) { return {d.exponent}; }

inline auto describe(matusita const&) {
  return description{
      "matusita",
      "Σ |p^a − q^a|^(1/a)",
      {parameter_of<matusita>{&matusita::exponent, "exponent", "a in [1/64, 1]", 1. / 64, 1}},
      "squared_hellinger at a = ½"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
