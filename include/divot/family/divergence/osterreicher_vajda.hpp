// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>
#include <divot/family/near_series.hpp>
#include <divot/family/probability_ratio.hpp>

#include <algorithm>
#include <cmath>

namespace divot {

/// Österreicher and Vajda's divergence of order b, f(u) = ((1 + u^b)^{1/b} − 2^{1/b−1}(1 + u))/(1 −
/// 1/b).
///
///   D(p, q) = Σ_k ((p_k^b + q_k^b)^{1/b} − 2^{1/b−1}(p_k + q_k)) / (1 − 1/b)
///
/// At b = 1 it is twice the Jensen–Shannon divergence, at b = ½ the squared Hellinger divergence,
/// and for b → ∞ the total variation.
///
/// Domain    1/32 ≤ b ≤ 10⁶, b = order
/// Limits    p_k = 0 adds (2^c − 1)/c·q_k, c = 1/b − 1 (ln 2 at b = 1); q_k = 0 the same of p_k
/// Range     [0, 2(2^c − 1)/c] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −2^c q expm1(cL)/c,
///           L = ln((1 + (p/q)^b)/2)
/// Errors    the tests hold float to the README's bounds up to b = 8; beyond, near p = q, it loses
///           the more digits the larger b is
/// Cost      for any order the logarithms of cosh and of 1 + (p/q)^b and one power a class, for
///           b > 1 an exponential more (a floor of 5 exponentials and 2 logarithms with the
///           softmax's): 6.1 times kl's, measured in float with AVX-512 by bench_divergence
/// Ref       Österreicher and Vajda (2003), Ann. Inst. Statist. Math. 55(3), 639–653
struct osterreicher_vajda {
  double order = 2;
};

inline namespace DIVOT_ABI {

class bound_osterreicher_vajda {
 public:
  static constexpr bool needs_logs = false;
  /// For large b it is nearly the total variation.
  DIVOT_HD bool needs_exact_offset() const { return b_.wide > 2; }

  DIVOT_HD explicit bound_osterreicher_vajda(double b)
      : b_(b),
        power_(b),
        c_(1 / b - 1),
        per_c_(c_.wide == 0 ? 0 : 1 / c_.wide),
        scale_(std::exp2(c_.wide)),
        at_zero_(c_.wide == 0 ? ln2 : std::expm1(c_.wide * ln2) / c_.wide),
        rate_(std::max(b, 1.)),
        near_(near_series::of_slope(slope(), rate_.wide)) {
    far_ = half_way(*this, at_zero_.wide);
  }

  DIVOT_HD double far_from() const { return far_.wide; }
  DIVOT_HD class_limits limits() const {
    double const zero = at_zero_.wide;
    // 2^c − 2^c e^{cL} grows without bounds for c ≥ 0
    return {zero, 0, zero, zero, 0, c_.wide < 0 ? scale_.wide / c_.wide : -unbounded};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor, far_.on<V>());
    V const rated = rate_.on<V>() * x.ell;
    auto const series = near_.at(x.q, rated);
    auto const near = is_near(rated);

    // L of the larger and of the smaller side: ln cosh y ∓ y with y = ½b|ell|
    V const y = math::abs(V((b_.on<V>() * constant<V>(.5)) * x.ell));
    V const log_cosh = math::log_cosh(y);
    V const fallen = smaller_over_larger(x, power_, V(V(-2) * y));
    V const grown = math::log1p_ratio(fallen, V(1));    // ln(1 + fallen)
    V const factor = math::exp(V(c_.on<V>() * grown));  // (1 + fallen)^c
    auto const below = x.ell < V(0);
    V const small = math::select(below, x.p, x.q), large = math::select(below, x.q, x.p);
    // ∂d/∂ln large and ∂d/∂ln small, both centred
    V const l = math::select(y < constant<V>(.25), V(log_cosh - y), V(grown - constant<V>(ln2)));
    V const of_large = side(large, V(large * factor), l);
    V const of_small = side(small, V(large * (fallen * factor)), V(log_cosh + y));
    V far_w = math::select(below, of_large, of_small);
    far_w = math::fma(V(gauge - V(1)), V(at_zero_.on<V>() * x.q), far_w);
    if (math::any<V>(gauge == V(0))) {
      // −expm1(c ln(1 + u^b))/c
      V const z = c_.on<V>() * grown;
      V const excess = math::select(is_near(z), V(grown * math::fma(z, math::expm1_tail(z), V(1))),
                                    V((factor - V(1)) * per_c_.on<V>()));
      far_w = math::select(below && gauge == V(0), V(-(x.q * excess)), far_w);
    }
    V const near_w = math::fma(V(gauge - V(1)), V(at_zero_.on<V>() * x.q), series.w);
    // of nearly equal p and q at a large b the sum may be less than it was rounded by
    V const sum = of_large + of_small;
    return {math::select(near, series.loss, math::select(sum < V(0), V(0), sum)),
            math::select(near, near_w, far_w)};
  }
  DIVOT_HD bound_osterreicher_vajda dual() const { return *this; }

 private:
  static constexpr double ln2 = 0.69314718055994530942;

  /// φ'(ell) = −2^c e^ell expm1(cL)/c, L = ln((1 + e^{−b ell})/2), in rate·ell.
  DIVOT_HD near_series::series slope() const {
    using series = near_series::series;
    double const b = b_.wide, c = c_.wide;
    series const ell = series(1 / rate_.wide) * series::variable();
    series l = log1p(series(.5) * expm1(series(-b) * ell));
    l.c[0] = 0;
    series ratio(0.);  // Σ (cL)ⁿ/(n + 1)!
    double factorial = 1;
    std::array<double, near_series::order> inverse{};
    for (std::size_t n = 0; n < near_series::order; ++n) {
      factorial /= double(n + 1);
      inverse[n] = factorial;
    }
    for (std::size_t n = near_series::order; n-- > 0;) {
      ratio = ratio * (series(c) * l) + series(inverse[n]);
    }
    return series(-scale_.wide) * exp(ell) * l * ratio;
  }

  /// −2^c·weight·expm1(cL)/c, `raised` being weight·(2e^L)^c.
  template <class V>
  DIVOT_INLINE V side(V const& weight, V const& raised, V const& l) const {
    V const z = c_.on<V>() * l;
    V const near = (weight * l) * math::fma(z, math::expm1_tail(z), V(1)) * scale_.on<V>();
    V const far = math::fnma(scale_.on<V>(), weight, raised) * per_c_.on<V>();
    return V(-math::select(is_near(z), near, far));
  }

  parameter b_;
  exponent power_;       // b
  parameter c_, per_c_;  // 1/b − 1 and the inverse of that
  parameter scale_;      // 2^c
  parameter at_zero_;    // f(0)
  parameter rate_;       // max(b, 1)
  near_series near_;
  parameter far_ = -near_bound;
};

inline bound_osterreicher_vajda bound_of(osterreicher_vajda const& d) {
  if (!(d.order >= 1. / 32 && d.order <= 1e6)) {
    fail("osterreicher_vajda: order is ", d.order, "; it must lie between 1/32 and 10^6");
  }
  return bound_osterreicher_vajda(d.order);
}

struct osterreicher_vajda_generator {
  double b, c = 1 / b - 1;
  double at_zero = c == 0 ? 0.69314718055994530942 : std::expm1(c * 0.69314718055994530942) / c,
         slope_at_infinity = at_zero;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::log;
    using std::pow;
    if (c == 0) return T(u * log(u) - (u + T(1)) * log(T((u + T(1)) / T(2))));
    return T((T(std::exp2(c)) * (u + T(1)) - pow(T(T(1) + pow(u, b)), 1 / b)) / T(c));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::exp;
    using std::log;
    using std::pow;
    T const l = T(log(T((T(1) + pow(u, -b)) / T(2))));
    if (c == 0) return T(-l);
    return T(T(std::exp2(c)) * (T(1) - exp(T(T(c) * l))) / T(c));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    using std::pow;
    return T(T(b) * pow(u, b - 2) * pow(T(T(1) + pow(u, b)), 1 / b - 2));
  }
};
inline osterreicher_vajda_generator generator(osterreicher_vajda const& d) { return {d.order}; }

inline auto describe(osterreicher_vajda const&) {
  return description{"osterreicher_vajda",
                     "Σ ((p^b + q^b)^(1/b) − 2^(1/b−1) (p + q))/(1 − 1/b)",
                     {parameter_of<osterreicher_vajda>{&osterreicher_vajda::order, "order",
                                                       "b in [1/32, 10⁶]", 1. / 32, 1e6}},
                     "2 jensen_shannon at b = 1"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
