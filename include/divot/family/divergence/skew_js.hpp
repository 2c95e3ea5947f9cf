// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
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
  static constexpr bool needs_exact_offset() { return false; }

  explicit bound_skew_js(double pi)
      : weight_(pi),
        rest_(1 - pi),
        log_weight_(std::log(pi)),
        log_rest_(std::log1p(-pi)),
        at_zero_(-(1 - pi) * std::log1p(-pi)),
        odds_(pi / (1 - pi)),
        against_((1 - pi) / pi),
        near_([pi](near_series::series const& ell) {
          auto const u = exp(ell);
          auto const m = near_series::series(pi) * u + near_series::series(1 - pi);
          return near_series::series(pi) * u * ell - m * log(m);
        }) {}

  class_limits limits() const {
    double const zero = at_zero_.wide;
    return {zero, 0, zero, -weight_.wide * log_weight_.wide, 0, -unbounded};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    auto const near = math::abs(x.ell) < constant<V>(near_bound);
    auto const series = near_.at(x);
    V const g = at_zero_.on<V>() * x.q;
    auto const below = x.ell < V(0);
    V const small = math::select(below, x.p, x.q);
    V const large = math::max(math::select(below, x.q, x.p), smallest_normal<V>());
    // below: ln(m/q) = ln(1−π) + l; above: ln(m/p) = ln π + l
    V const odds = math::select(below, odds_.on<V>(), against_.on<V>());
    V const l = math::log1p_positive(V(odds * math::quotient(small, large)));
    V const log_rest = log_rest_.on<V>();
    V const m_over_large = math::select(below, log_rest, log_weight_.on<V>()) + l;
    V const m_over_small = m_over_large + math::abs(x.ell);
    V const large_part = math::select(below, rest_.on<V>(), weight_.on<V>()) * large;
    V const small_part = math::select(below, weight_.on<V>(), rest_.on<V>()) * small;
    V const far_loss = -math::fma(large_part, m_over_large, V(small_part * m_over_small));
    // ln(m/q) − ln(1−π): vanishes with p
    V const shifted = math::select(below, l, V(m_over_small - log_rest));
    return {math::select(near, series.loss, far_loss),
            math::select(near, math::fma(V(gauge - V(1)), g, series.w),
                         math::fnma(V(rest_.on<V>() * x.q), shifted, V(gauge * g)))};
  }
  bound_skew_js dual() const { return bound_skew_js(rest_.wide); }

 private:
  parameter weight_, rest_, log_weight_, log_rest_, at_zero_, odds_, against_;
  near_series near_;
};

inline bound_skew_js bind(skew_js const& d) {
  check_open_unit(d.teacher_weight, "skew_js", "teacher_weight", "use kl or reverse_kl");
  return bound_skew_js(d.teacher_weight);
}

}  // namespace DIVOT_ABI
}  // namespace divot
