// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/parameter.hpp>
#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

#include <cmath>
#include <limits>

namespace divot {

/// Hockey-stick divergence, f(u) = (u − γ)₊, γ = threshold. At γ = 1 it is the total variation.
///
///   E_γ(p‖q) = Σ_k (p_k − γ q_k)₊
///
/// Domain    γ ≥ 1, finite
/// Limits    p_k = 0 adds 0; q_k = 0 adds p_k
/// Range     [0, 1] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −γ q where p > γ q, else 0
/// Ref       Sason and Verdú (2016), IEEE Trans. Inf. Theory 62(11), 5973–6006
struct hockey_stick {
  double threshold = 2;
};

/// DeGroot's statistical information: what an observation is worth to a test of p, of prior
/// probability ω, against q.
///
///   I_ω(p, q) = min(ω, 1 − ω) − Σ_k min(ω p_k, (1 − ω) q_k)
///             = Σ_k (ω p_k − (1 − ω) q_k)₊ for ω ≤ ½, Σ_k ((1 − ω) q_k − ω p_k)₊ above
///
/// Domain    0 < ω < 1, ω = prior
/// Range     [0, min(ω, 1 − ω)] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = ∓(1 − ω) q where the class counts
/// Ref       DeGroot (1962), Ann. Math. Statist. 33(2), 404–419
struct degroot {
  double prior = 0.5;
};

inline namespace DIVOT_ABI {

/// (a p − b q)₊ a class, or with Below its opposite (b q − a p)₊.
class bound_hinge {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return true; }  // the side of a kink
  static constexpr bool slopes_are_exact = true;

  bound_hinge(double a, double b, bool below) : a_(a), b_(b), below_(below) {
    // the kink in two words, in float too
    long double const kink = std::log(static_cast<long double>(b) / a);
    kink_ = static_cast<double>(kink);
    rest_ = static_cast<double>(kink - static_cast<long double>(kink_.wide));
    rest_.narrow = static_cast<float>(kink - static_cast<long double>(kink_.narrow));
  }

  DIVOT_HD class_limits limits() const {
    double const a = a_.wide, b = b_.wide;
    return below_ ? class_limits{b, b, 0, 0, 0, 0} : class_limits{0, 0, 0, a, 0, -b};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const&) const {
    V const b_q = b_.on<V>() * x.q;
    V const beyond = (x.ell - kink_.on<V>()) - rest_.on<V>();
    V const near = b_q * math::fma(V(beyond * beyond), math::expm1_tail(beyond), beyond);
    V const excess = math::select(is_near(beyond), near, math::fms(a_.on<V>(), x.p, b_q));
    V const zero(0);
    if (below_) {
      auto const counts = beyond < zero;
      return {math::select(counts, V(-excess), zero), math::select(counts, b_q, zero)};
    }
    auto const counts = beyond > zero;
    return {math::select(counts, excess, zero), math::select(counts, V(-b_q), zero)};
  }
  DIVOT_HD bound_hinge dual() const {
    bound_hinge d = *this;
    d.a_ = b_;
    d.b_ = a_;
    d.below_ = !below_;
    for (parameter* x : {&d.kink_, &d.rest_}) {
      x->wide = -x->wide;
      x->narrow = -x->narrow;
    }
    return d;
  }

 private:
  parameter a_, b_, kink_, rest_;  // ln(b/a)
  bool below_;
};

inline bound_hinge bound_of(hockey_stick const& d) {
  if (!(d.threshold >= 1) || !std::isfinite(d.threshold)) {
    fail("hockey_stick: threshold is ", d.threshold, "; it must be finite and at least 1");
  }
  return {1, d.threshold, false};
}
inline bound_hinge bound_of(degroot const& d) {
  check_open_unit(d.prior, "degroot", "prior", "at the ends it is 0");
  return {d.prior, 1 - d.prior, d.prior > .5};
}

/// (a u − b)₊, or (b − a u)₊ below.
struct hinge_generator {
  double a, b;
  bool below;
  double at_zero = below ? b : 0, slope_at_infinity = below ? 0 : a;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    T const x = T(T(a) * u - T(b));
    return below ? (x < T(0) ? T(-x) : T(0)) : (x > T(0) ? x : T(0));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    T const x = T(T(a) * u - T(b));
    return below ? (x < T(0) ? T(-a) : T(0)) : (x > T(0) ? T(a) : T(0));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T(T(0) * u);
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    return T(t * T(b / a));
  }
};
inline hinge_generator generator(hockey_stick const& d) { return {1, d.threshold, false}; }
inline hinge_generator generator(degroot const& d) { return {d.prior, 1 - d.prior, d.prior > .5}; }

inline auto describe(hockey_stick const&) {
  return description{
      "hockey_stick",
      "Σ max(p − γq, 0)",
      {parameter_of<hockey_stick>{&hockey_stick::threshold, "threshold", "γ ≥ 1", 1, 1e6}}};
}
inline auto describe(degroot const&) {
  return description{"degroot",
                     "min(ω, 1 − ω) − Σ min(ωp, (1 − ω)q)",
                     {parameter_of<degroot>{&degroot::prior, "prior", "ω in (0, 1), of the teacher",
                                            1e-16, 1 - 1e-16}},
                     "statistical information"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
