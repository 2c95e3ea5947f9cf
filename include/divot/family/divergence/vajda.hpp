// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/family/power_gauge.hpp>
#include <divot/family/probability_ratio.hpp>

#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

#include <cmath>

namespace divot {

/// Vajda's χ^k divergence, f(u) = |u − 1|^k, k = order.
///
///   D(p, q) = Σ_k q_k |p_k/q_k − 1|^k
///
/// Domain    k ≥ 1, finite; 1 is twice the total variation, 2 is Pearson's χ²
/// Limits    p_k = 0 adds q_k; q_k = 0 < p_k gives +inf (k = 1: adds p_k)
/// Range     [0, ∞)
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −sgn(x) q |x|^{k−1} (1 + (k − 1) p/q),
///           x = p/q − 1; 0 at a tie
/// Cost      1.6 times kl's for whole orders up to 5. Another order takes a logarithm and an
///           exponential a class, in rows whose anchor has p ≪ q two of each (a floor of 4
///           exponentials and 2 logarithms with the softmax's): 5.6 times kl's, measured in float
///           with AVX-512 by bench_divergence
/// Ref       Vajda (1972), Kybernetika 8(2), 138–152
struct vajda {
  double order = 3;
};

inline namespace DIVOT_ABI {

class bound_dual_vajda;

class bound_vajda {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool spans_range = true;
  static constexpr bool needs_exact_offset() { return true; }

  DIVOT_HD explicit bound_vajda(double k) : k_(k), less_(k - 1), rest_(k - 1), gauge_(k - 1) {
    far_ = half_way(*this, 1);
  }

  DIVOT_HD double far_from() const { return far_.wide; }
  DIVOT_HD class_limits limits() const {
    bool const linear = less_.wide == 0;
    return {1, 0, 1, linear ? 1 : unbounded, linear ? 0 : -unbounded, linear ? -1 : -unbounded};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor, far_.on<V>());
    V const distance = relative_distance(x);
    V const power = math::power(distance, less_);
    V loss = x.q * (power * distance);
    V w = V(-(sign_of(x.ell) * power)) * math::fma(rest_.on<V>(), x.p, x.q);
    if constexpr (std::is_same_v<V, long double>) widest(x, loss, w);
    w = math::fma(V(gauge - V(1)), x.q, w);
    if (math::any<V>(gauge == V(0))) {
      auto const far = x.ell < constant<V>(-near_bound) && gauge == V(0);
      V const u = math::min(V(x.p / math::max(x.q, smallest_normal<V>())), V(1));
      w = math::select(far, V(x.q * gauge_.at(u)), w);
    }
    return {loss, w};
  }
  DIVOT_HD bound_dual_vajda dual() const;

 private:
  /// q u^k where u or its powers leave even the widest range. For k = 1 there are none, and slopes
  /// that are equal must be so to the last bit.
  DIVOT_HD void widest(class_point<long double> const& x, long double& loss, long double& w) const {
    if (x.ell < 1) return;
    if (less_.wide == 0) {
      loss = x.p - x.q;
      return;
    }
    long double const rest = std::log1p(-std::exp(-x.ell));
    long double const slope = std::exp(x.log_p + less_.wide * (x.ell + rest));
    loss = slope * std::exp(rest);
    w = -slope * (rest_.wide + std::exp(-x.ell));
  }

  double k_;
  exponent less_;   // k − 1
  parameter rest_;  // the same
  power_gauge gauge_;
  parameter far_ = -near_bound;
};

/// Σ p |q/p − 1|^k.
class bound_dual_vajda {
 public:
  static constexpr bool needs_logs = false;
  static constexpr double roundings = 2;
  static constexpr bool spans_range = true;
  static constexpr bool needs_exact_offset() { return true; }

  DIVOT_HD explicit bound_dual_vajda(double k) : k_(k), less_(k - 1), slope_(k) {}

  DIVOT_HD class_limits limits() const {
    bool const linear = less_.wide == 0;
    return {linear ? 1 : unbounded, linear ? 1 : unbounded, 0, 1, 0, -k_};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const&) const {
    V const distance = relative_distance(x.swapped());
    V const power = math::power(distance, less_);
    V loss = x.p * (power * distance);
    V w = (slope_.on<V>() * x.q) * V(-(sign_of(x.ell) * power));
    if constexpr (std::is_same_v<V, long double>) {
      if (x.ell < -1 && less_.wide == 0) {
        loss = x.q - x.p;
      } else if (x.ell < -1) {
        long double const rest = std::log1p(-std::exp(x.ell));
        long double const slope = std::exp(x.log_q + less_.wide * (rest - x.ell));
        loss = slope * std::exp(rest);
        w = slope * k_;
      }
    }
    return {loss, w};
  }
  DIVOT_HD bound_vajda dual() const { return bound_vajda(k_); }

 private:
  double k_;
  exponent less_;
  parameter slope_;
};

DIVOT_HD inline bound_dual_vajda bound_vajda::dual() const { return bound_dual_vajda(k_); }

inline bound_vajda bound_of(vajda const& d) {
  if (!(d.order >= 1) || !std::isfinite(d.order)) {
    fail("vajda: order is ", d.order, "; it must be finite and at least 1");
  }
  return bound_vajda(d.order);
}

struct vajda_generator {
  double k;
  double at_zero = 1, slope_at_infinity = k == 1 ? 1 : unbounded;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::abs;
    using std::pow;
    return T(pow(T(abs(T(u - T(1)))), k));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::abs;
    using std::pow;
    T const x = T(u - T(1));
    T const size = T(T(k) * pow(T(abs(x)), k - 1));
    return x > T(0) ? size : x < T(0) ? T(-size) : T(0);
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    using std::abs;
    using std::pow;
    return T(T(k * (k - 1)) * pow(T(abs(T(u - T(1)))), k - 2));
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    using std::abs;
    using std::pow;
    if (k == 1) return t;
    return T(t + T(k - 1) * pow(T(abs(t) / T(k)), k / (k - 1)));
  }
};
inline vajda_generator generator(vajda const& d) { return {d.order}; }

inline auto describe(vajda const&) {
  return description{"vajda",
                     "Σ q |p/q − 1|^k",
                     {parameter_of<vajda>{&vajda::order, "order", "k ≥ 1", 1, 64}},
                     "2 total_variation at k = 1, pearson at k = 2"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
