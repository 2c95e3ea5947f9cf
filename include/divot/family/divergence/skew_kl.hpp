// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/family/class_mixture.hpp>
#include <divot/family/description.hpp>
#include <divot/family/divergence/kl.hpp>
#include <divot/family/generator.hpp>
#include <divot/family/kl_to_mixture.hpp>
#include <divot/family/loss.hpp>
#include <divot/family/near_series.hpp>

#include <algorithm>
#include <cmath>
#include <type_traits>

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

  DIVOT_HD bound_skew_kl(double pi, double rest)
      : side_(rest, pi),
        far_(std::log(rest / (1 + rest))),
        is_apart_(rest >= .5 && pi >= 1e-24),
        mixture_(pi, rest) {
    if (!is_apart_) return;
    near_ = near_series([rest](near_series::series const& ell) {
      using series = near_series::series;
      // ln(m/p) = ln(1 + (1 − π)(e^−ell − 1))
      return series(-1.) * exp(ell) *
             log(series(1.) + series(rest) * (exp(series(-1.) * ell) - series(1.)));
    });
  }

  /// Where m = 2p: half the way to the limit without p.
  DIVOT_HD double far_from() const { return far_.wide; }
  DIVOT_HD class_limits limits() const {
    double const pi = side_.rest().wide, rest = side_.share().wide;
    return {rest, 0, rest, log_excess(rest, pi), 0, -rest * rest / pi};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor, far_.on<V>());
    if (is_apart_) return apart(x, gauge);
    auto const m = side_.at(x);
    // (1 − π) q (m − p)/m, or without the constant −(1 − π) q p/m
    V const slope = math::select(gauge == V(0), V(-x.p), m.gap);
    return {m.loss, V(slope * math::quotient(m.other, m.mixture))};
  }
  DIVOT_HD bound_reverse_skew_kl dual() const;

 private:
  /// m is no nearer to p than to q: it has the digits of its distance from p, but near p = q. The
  /// same in fewer operations.
  template <class V>
  DIVOT_INLINE class_terms<V> apart(class_point<V> const& x, V const& gauge) const {
    auto const near = is_near(x.ell);
    auto const series = near_.at(x.q, x.ell);
    auto const mix = mixture_.at(x);
    V const rest = mixture_.rest().template on<V>();
    V const far_loss = math::fnma(x.p, mix.log_over_p, V(rest * (x.q - x.p)));
    V const far_w = mix.student * (gauge - math::quotient(x.p, mix.mixture));
    return {math::select(near, series.loss, far_loss),
            math::select(near, math::fma(V(gauge - V(1)), mix.student, series.w), far_w)};
  }

  kl_to_mixture side_;  // of p
  parameter far_;
  bool is_apart_;
  class_mixture mixture_;
  near_series near_;
};

/// KL(q‖ρp + (1 − ρ)q): the dual of skew_kl with teacher weight 1 − ρ.
class bound_reverse_skew_kl {
 public:
  static constexpr bool needs_logs = false;
  static constexpr double roundings = 2;
  static constexpr bool needs_exact_offset() { return false; }

  DIVOT_HD bound_reverse_skew_kl(double rho, double rest)
      : side_(rho, rest),
        at_zero_(log_excess(rho, rest)),
        far_(std::min(-near_bound, .5 * (side_.log_rest().wide + rho))) {}

  /// About half the way to the limit without p.
  DIVOT_HD double far_from() const { return far_.wide; }
  DIVOT_HD class_limits limits() const {
    return {at_zero_, 0, at_zero_, side_.share().wide, 0, -unbounded};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    auto const m = side_.at(x.swapped());
    auto const far = anchor < far_.on<V>();
    if (math::all<V>(far)) return {m.loss, from_zero(x, m)};
    if (math::any<V>(far)) return {m.loss, math::select(far, from_zero(x, m), centred(x, m))};
    return {m.loss, centred(x, m)};
  }
  DIVOT_HD bound_skew_kl dual() const { return {side_.rest().wide, side_.share().wide}; }

 private:
  template <class V>
  using parts = kl_to_mixture::parts<V>;

  /// w = q [(1−ρ) y/(1+y) − log1p(y)], y = m/q − 1: of close ones −q [(z + ρ) y/(1+y) + tail].
  template <class V>
  DIVOT_INLINE V centred(class_point<V> const& x, parts<V> const& m) const {
    V const part = m.gap * math::quotient(math::select(m.close, x.q, m.own), m.mixture);
    V const close = math::fma(part, V(m.z + side_.share().template on<V>()), V(x.q * m.tail));
    return math::select(m.close, V(-close), math::fnma(x.q, m.log_over_p, part));
  }
  /// w = q [y/(1+y) − log1p(y)], y = ρp/((1−ρ)q): of second order in y, so up to y = 1 by
  /// z = y/(2+y) −q [z y/(1+y) + tail]. Beyond, ell has not the digits that 1/(1+y) = 2^n u has.
  template <class V>
  DIVOT_INLINE V from_zero(class_point<V> const& x, parts<V> const& m) const {
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    V const by_ell =
        math::select(m.close, m.log_increase, m.log_over_p) - side_.log_rest().template on<V>();
    if constexpr (single && lane_traits<V>::is_pack) {
      V const inverse = math::quotient(V(1), m.mixture), share = m.other * inverse;
      auto const small = share < constant<V>(.5);
      auto const [u, n] = lane_traits<V>::split(V(m.own * inverse));
      V const z = math::quotient(math::select(small, m.other, V(V(1) - u)),
                                 math::select(small, V(m.mixture + m.own), V(V(1) + u)));
      V const tail = math::atanh2_tail_third(z);
      V const log = math::fnma(n, constant<V>(0.69314718055994530942), math::fma(V(2), z, tail));
      V const large = share - math::select(m.own < constant<V>(least), by_ell, log);
      return V(x.q * math::select(small, V(-math::fma(z, share, tail)), large));
    } else {
      V const share = math::quotient(m.other, m.mixture);
      auto const small = share < constant<V>(.5);
      V const z = math::select(small, math::quotient(share, V(V(2) - share)), V(0));
      V log = by_ell;
      if constexpr (single) {
        if (m.own > constant<V>(least)) log = math::log(V(m.mixture / m.own));
      }
      return V(x.q * math::select(small, V(-math::fma(z, share, math::atanh2_tail_third(z))),
                                  V(share - log)));
    }
  }

  static constexpr double least = 1e-36;  // below, the summand of q may have lost digits in float
  kl_to_mixture side_;                    // of q
  double at_zero_;
  parameter far_;
};

DIVOT_HD inline bound_reverse_skew_kl bound_skew_kl::dual() const {
  return {side_.share().wide, side_.rest().wide};
}

inline bound_skew_kl bound_of(skew_kl const& d) {
  check_open_unit(d.teacher_weight, "skew_kl", "teacher_weight", "at 0 it is kl, at 1 it is 0");
  return {d.teacher_weight, 1 - d.teacher_weight};
}

/// Of KL(q‖ρp + (1 − ρ)q): −ln m + ρ(u − 1).
struct reverse_skew_kl_generator {
  double rho;
  double at_zero = log_excess(rho, 1 - rho), slope_at_infinity = rho;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::log;
    return T(T(rho) * (u - T(1)) - log(mixture(u)));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    return T(T(rho) - T(rho) / mixture(u));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    T const share = T(T(rho) / mixture(u));
    return T(share * share);
  }

 private:
  template <class T>
  DIVOT_HD T mixture(T const& u) const {
    return T(T(rho) * u + T(1 - rho));
  }
};
inline skewed_generator<kl_generator> generator(skew_kl const& d) { return {{}, d.teacher_weight}; }
inline reverse_skew_kl_generator generator(reversed<skew_kl> const& r) {
  return {1 - r.of.teacher_weight};
}

inline auto describe(skew_kl const&) {
  return description{"skew_kl",
                     "KL(p‖πp + (1 − π)q)",
                     {parameter_of<skew_kl>{&skew_kl::teacher_weight, "teacher_weight",
                                            "π in (0, 1)", 1e-6, 1 - 1e-6}},
                     "DistiLLM's; its other one is reverse(skew_kl)"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
