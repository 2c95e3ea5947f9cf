// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/family/class_mixture.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>
#include <divot/family/near_series.hpp>

#include <cmath>

namespace divot {

/// Skew Jensen–Shannon divergence, GKD's JSD_β with β = teacher_weight.
///
///   JS_π(p, q) = π KL(p‖m) + (1 − π) KL(q‖m),  m = πp + (1 − π)q,  π = teacher_weight
///
/// Domain    0 < π < 1 (at the ends it is 0: use kl or reverse_kl)
/// Limits    p_k = 0 adds −(1−π)ln(1−π)·q_k; q_k = 0 adds −π ln π·p_k
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = (1−π) q ln(q/m)
/// Ref       Agarwal et al. (2024), On-Policy Distillation of Language Models, ICLR
struct skew_js {
  double teacher_weight = 0.5;
};

inline namespace DIVOT_ABI {

class bound_skew_js {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_relative = true;
  static constexpr bool needs_exact_offset() { return false; }

  DIVOT_HD bound_skew_js(double pi, double rest)
      : mixture_(pi, rest),
        at_zero_(-rest * mixture_.log_rest().wide),
        near_([pi, rest](near_series::series const& ell) {
          using series = near_series::series;
          // m relative to the larger share: small weights keep their digits
          if (pi < .5) {
            auto const y = series(pi) * (exp(ell) - series(1.)), m = series(1.) + y;
            return series(pi) * exp(ell) * ell - m * log(m);
          }
          auto const y = series(rest) * (exp(series(-1.) * ell) - series(1.));
          auto const m_over_p = series(1.) + y;
          return series(-rest) * ell - exp(ell) * m_over_p * log(m_over_p);
        }) {}

  DIVOT_HD class_limits limits() const {
    double const zero = at_zero_;
    return {zero, 0, zero, -mixture_.weight().wide * mixture_.log_weight().wide, 0, -unbounded};
  }

  /// w = −(1 − π) q [ln(m/q) − κ]: κ = 0 where the anchor is close, else the larger of ln(1 − π)
  /// and ln π + ell there, which leaves ell relative to the anchor's.
  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    auto const near = is_near(x.ell);
    auto const series = near_.at(x.q, x.ell);
    auto const mix = mixture_.at(x);
    V const far_loss = -math::fma(mix.teacher, mix.log_over_p, V(mix.student * mix.log_over_q));
    auto const far = is_far(anchor);
    V const balance = mixture_.log_ratio().template on<V>() + anchor;
    V const of_p =
        math::select(balance < V(0), V(mixture_.log_ratio().template on<V>() + x.ell), x.relative);
    V const shifted = math::max(of_p, V(-math::max(balance, V(0)))) + mix.log_increase;
    V const log = math::select(far, shifted, mix.log_over_q);
    return {math::select(near, series.loss, far_loss),
            math::select(near, math::fma(mix.student, shift(anchor), series.w),
                         V(-(mix.student * log)))};
  }
  template <class V>
  DIVOT_HD class_terms<V> at_edge(class_point<V> const& x, V const& anchor,
                                  mask_of<V> const& p_zero, mask_of<V> const& q_zero) const {
    auto terms = terms_at_limits(*this, at(x, anchor), x, anchor, p_zero, q_zero);
    V const rest = mixture_.rest().template on<V>() * x.q;
    V const without_p = rest * (shift(anchor) - mixture_.log_rest().template on<V>());
    terms.w = math::select(p_zero, without_p, terms.w);
    return terms;
  }
  DIVOT_HD bound_skew_js dual() const { return {mixture_.rest().wide, mixture_.weight().wide}; }

 private:
  template <class V>
  static DIVOT_INLINE mask_of<V> is_far(V const& anchor) {
    return anchor < constant<V>(-near_bound);
  }
  /// κ
  template <class V>
  DIVOT_INLINE V shift(V const& anchor) const {
    V const of_p = mixture_.log_weight().template on<V>() + anchor;
    return math::select(is_far(anchor), math::max(of_p, mixture_.log_rest().template on<V>()),
                        V(0));
  }

  class_mixture mixture_;
  double at_zero_;
  near_series near_;
};

inline bound_skew_js bound_of(skew_js const& d) {
  check_open_unit(d.teacher_weight, "skew_js", "teacher_weight", "use kl or reverse_kl");
  return {d.teacher_weight, 1 - d.teacher_weight};
}

struct skew_js_generator {
  double pi;
  double at_zero = -(1 - pi) * std::log1p(-pi), slope_at_infinity = -pi * std::log(pi);
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::log;
    T const m = T(T(pi) * u + T(1 - pi));
    return T(T(pi) * u * log(u) - m * log(m));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::log;
    return T(T(pi) * log(T(u / (T(pi) * u + T(1 - pi)))));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T(T(pi * (1 - pi)) / (u * (T(pi) * u + T(1 - pi))));
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    using std::exp;
    using std::log;
    return T(T(1 - pi) * log(T(T(1 - pi) / (T(1) - T(pi) * exp(T(t / T(pi)))))));
  }
};
inline skew_js_generator generator(skew_js const& d) { return {d.teacher_weight}; }

inline auto describe(skew_js const&) {
  return description{"skew_js",
                     "π KL(p‖m) + (1 − π) KL(q‖m), m = πp + (1 − π)q",
                     {parameter_of<skew_js>{&skew_js::teacher_weight, "teacher_weight",
                                            "π in (0, 1)", 1e-6, 1 - 1e-6}},
                     "GKD's, whose β is π"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
