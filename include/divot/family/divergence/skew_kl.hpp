// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
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

  explicit bound_skew_kl(double pi)
      : pi_(pi), near_([pi](near_series::series const& ell) {
          auto const u = exp(ell);
          auto const m = near_series::series(pi) * u + near_series::series(1 - pi);
          return u * (ell - log(m));
        }) {}

  class_limits limits() const {
    double const rest = 1 - pi_;
    return {rest, 0, rest, -std::log(pi_) - rest, 0, -rest * rest / pi_};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& gauge) const {
    auto const near = math::abs(x.ell) < constant<V>(near_bound);
    auto const series = near_.at(x);
    V const rest = constant<V>(1 - pi_);
    V const tiny = constant<V>(double(limits_of<V>::min()));
    V const g = rest * x.q;
    V const m = math::max(math::fma(rest, x.q, V(constant<V>(pi_) * x.p)), tiny);
    auto const below = x.ell < V(0);
    V const large = math::max(math::select(below, x.q, x.p), tiny);
    V const small = math::select(below, x.p, x.q);
    V const odds = math::select(below, constant<V>(pi_ / (1 - pi_)), constant<V>((1 - pi_) / pi_));
    V const l = math::log1p_positive(V(odds * math::quotient(small, large)));
    // ln(m/p)
    V const m_over_p = math::select(below, V(constant<V>(std::log1p(-pi_)) + l + math::abs(x.ell)),
                                    V(constant<V>(std::log(pi_)) + l));
    V const far_loss = math::fma(V(-x.p), m_over_p, V(rest * (x.q - x.p)));
    V const far_w = V(g * (gauge - math::quotient(x.p, m)));
    return {math::select(near, series.loss, far_loss),
            math::select(near, math::fma(V(gauge - V(1)), g, series.w), far_w)};
  }
  bound_reverse_skew_kl dual() const;

 private:
  double pi_;
  near_series near_;
};

/// KL(q‖ρp + (1 − ρ)q): the dual of skew_kl with teacher weight 1 − ρ.
class bound_reverse_skew_kl {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return false; }

  explicit bound_reverse_skew_kl(double rho)
      : rho_(rho),
        near_([rho](near_series::series const& ell) {
          auto const m = near_series::series(rho) * exp(ell) + near_series::series(1 - rho);
          return -log(m);
        }),
        at_zero_(-std::log1p(-rho) - rho) {}

  class_limits limits() const { return {at_zero_, 0, at_zero_, rho_, 0, -unbounded}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& gauge) const {
    auto const near = math::abs(x.ell) < constant<V>(near_bound);
    auto const series = near_.at(x);
    V const rho = constant<V>(rho_), rest = constant<V>(1 - rho_);
    V const tiny = constant<V>(double(limits_of<V>::min()));
    V const g = constant<V>(at_zero_) * x.q;
    V const m = math::max(math::fma(rest, x.q, V(rho * x.p)), tiny);
    auto const below = x.ell < V(0);
    V const large = math::max(math::select(below, x.q, x.p), tiny);
    V const small = math::select(below, x.p, x.q);
    V const odds =
        math::select(below, constant<V>(rho_ / (1 - rho_)), constant<V>((1 - rho_) / rho_));
    V const l = math::log1p_positive(V(odds * math::quotient(small, large)));
    V const log_rest = constant<V>(std::log1p(-rho_));
    // ln(m/q) − ln(1−ρ): vanishes with p
    V const shifted = math::select(below, l, V(constant<V>(std::log(rho_)) - log_rest + l + x.ell));
    V const far_loss = math::fma(V(-x.q), V(shifted + log_rest), V(rho * (x.p - x.q)));
    V const far_w = math::fma(gauge, g, V(x.q * (rho * math::quotient(x.p, m) - shifted)));
    return {math::select(near, series.loss, far_loss),
            math::select(near, math::fma(V(gauge - V(1)), g, series.w), far_w)};
  }
  bound_skew_kl dual() const { return bound_skew_kl(1 - rho_); }

 private:
  double rho_;
  near_series near_;
  double at_zero_;
};

inline bound_reverse_skew_kl bound_skew_kl::dual() const { return bound_reverse_skew_kl(1 - pi_); }

inline bound_skew_kl bind(skew_kl const& d) {
  check_open_unit(d.teacher_weight, "skew_kl", "teacher_weight", "at 0 it is kl, at 1 it is 0");
  return bound_skew_kl(d.teacher_weight);
}

}  // namespace DIVOT_ABI
}  // namespace divot
