// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/family/class_mixture.hpp>
#include <divot/family/divergence/kl.hpp>
#include <divot/family/generator.hpp>
#include <divot/family/loss.hpp>
#include <divot/family/near_series.hpp>

#include <cmath>

namespace divot {

/// Skew Kullback–Leibler divergence of DistiLLM.
///
///   D(p, q) = KL(p‖m),  m = πp + (1 − π)q,  π = teacher_weight
///
/// Domain    0 < π < 1. Its reverse, reverse(skew_kl{π}), is KL(q‖πq + (1 − π)p).
/// Limits    p_k = 0 adds (1−π)q_k; q_k = 0 adds (−ln π − (1−π))p_k
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −(1−π) p q/m
/// Ref       Lee (2001), AISTATS; Ko et al. (2024), DistiLLM, ICML
struct skew_kl {
  double teacher_weight = 0.1;
};

inline namespace DIVOT_ABI {

class bound_reverse_skew_kl;

class bound_skew_kl {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return false; }

  bound_skew_kl(double pi, double rest)
      : mixture_(pi, rest), near_([rest](near_series::series const& ell) {
          using series = near_series::series;
          // ln(m/p) = ln(1 + (1 − π)(e^−ell − 1))
          return series(-1.) * exp(ell) *
                 log(series(1.) + series(rest) * (exp(series(-1.) * ell) - series(1.)));
        }) {}

  class_limits limits() const {
    double const pi = mixture_.weight().wide, rest = mixture_.rest().wide;
    return {rest, 0, rest, -std::log(pi) - rest, 0, -rest * rest / pi};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    auto const near = is_near(x.ell);
    auto const series = near_.at(x.q, x.ell);
    auto const mix = mixture_.at(x);
    V const rest = mixture_.rest().template on<V>();
    V const far_loss = math::fnma(x.p, mix.log_over_p, V(rest * (x.q - x.p)));
    V const far_w = mix.student * (gauge - math::quotient(x.p, mix.mixture));
    return {math::select(near, series.loss, far_loss),
            math::select(near, math::fma(V(gauge - V(1)), mix.student, series.w), far_w)};
  }
  bound_reverse_skew_kl dual() const;

 private:
  class_mixture mixture_;
  near_series near_;
};

/// KL(q‖ρp + (1 − ρ)q): the dual of skew_kl with teacher weight 1 − ρ.
class bound_reverse_skew_kl {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return false; }

  bound_reverse_skew_kl(double rho, double rest)
      : mixture_(rho, rest),
        at_zero_(-mixture_.log_rest().wide - rho),
        near_([rho](near_series::series const& ell) {
          using series = near_series::series;
          return series(-1.) * log(series(1.) + series(rho) * (exp(ell) - series(1.)));
        }) {}

  class_limits limits() const {
    return {at_zero_.wide, 0, at_zero_.wide, mixture_.weight().wide, 0, -unbounded};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    auto const near = is_near(x.ell);
    auto const series = near_.at(x.q, x.ell);
    auto const mix = mixture_.at(x);
    V const rho = mixture_.weight().template on<V>();
    V const g = at_zero_.on<V>() * x.q;
    V const far_loss = math::fnma(x.q, mix.log_over_q, V(rho * (x.p - x.q)));
    // ln(m/q) − ln(1−ρ) = log1p(y), y = ρp/((1−ρ)q): vanishes with p
    V const shifted = mixture_.shifted(mix);
    // ω = y/(1+y) − log1p(y), of second order in y: by z = y/(2+y) where y is small
    V const share = math::quotient(mix.teacher, mix.mixture);  // y/(1+y)
    V const z = math::quotient(share, V(V(2) - share));
    auto const small = z < constant<V>(.23);
    V const safe = math::select(small, z, V(0));
    V const excess =
        math::quotient(V(V(2) * safe * safe), V(V(1) + safe)) + math::atanh2_tail(safe);
    V const omega = math::select(small, V(-excess), V(share - shifted));
    V const far_w = math::fma(x.q, omega, V(gauge * g));
    return {math::select(near, series.loss, far_loss),
            math::select(near, math::fma(V(gauge - V(1)), g, series.w), far_w)};
  }
  bound_skew_kl dual() const { return {mixture_.rest().wide, mixture_.weight().wide}; }

 private:
  class_mixture mixture_;
  parameter at_zero_;
  near_series near_;
};

inline bound_reverse_skew_kl bound_skew_kl::dual() const {
  return {mixture_.rest().wide, mixture_.weight().wide};
}

inline bound_skew_kl bound_of(skew_kl const& d) {
  check_open_unit(d.teacher_weight, "skew_kl", "teacher_weight", "at 0 it is kl, at 1 it is 0");
  return {d.teacher_weight, 1 - d.teacher_weight};
}

/// Of KL(q‖ρp + (1 − ρ)q): −ln m + ρ(u − 1).
struct reverse_skew_kl_generator {
  double rho;
  double at_zero = -std::log1p(-rho) - rho, slope_at_infinity = rho;
  template <class T>
  T f(T const& u) const {
    using std::log;
    return T(T(rho) * (u - T(1)) - log(mixture(u)));
  }
  template <class T>
  T slope(T const& u) const {
    return T(T(rho) - T(rho) / mixture(u));
  }
  template <class T>
  T curvature(T const& u) const {
    T const share = T(T(rho) / mixture(u));
    return T(share * share);
  }

 private:
  template <class T>
  T mixture(T const& u) const {
    return T(T(rho) * u + T(1 - rho));
  }
};
inline skewed_generator<kl_generator> generator(skew_kl const& d) { return {{}, d.teacher_weight}; }
inline reverse_skew_kl_generator generator(reversed<skew_kl> const& r) {
  return {1 - r.of.teacher_weight};
}

}  // namespace DIVOT_ABI
}  // namespace divot
