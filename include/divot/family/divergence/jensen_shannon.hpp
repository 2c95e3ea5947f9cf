// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

#include <array>

namespace divot {

/// Jensen–Shannon divergence, f(u) = ½[u ln u − (u + 1) ln((u + 1)/2)].
///
///   JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m),  m = (p + q)/2
///
/// Limits    p_k = 0 adds ½ln2·q_k; q_k = 0 adds ½ln2·p_k
/// Range     [0, ln 2] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = ½q ln(q/m)
/// Ref       Lin (1991), IEEE Trans. Inf. Theory 37(1), 145–151
struct jensen_shannon {};

inline namespace DIVOT_ABI {
namespace coefficients {
DIVOT_CONSTANT std::array<double, 4> js_loss_float{
    // (y tanh y − ln cosh y)/y² in y², 4.5e-9 over |y| ≤ ¼
    0.49999999777057908, -0.24999885761596327, 0.11101932234354291, -0.044846606577944483};
DIVOT_CONSTANT std::array<double, 8> js_loss_double{
    // the same, 7.2e-18
    0.49999999999999999642,   -0.24999999999999266826,  0.11111111110864514594,
    -0.047222221905955898402, 0.019682519737193467014,  -0.0081239480373370374999,
    0.0033224782677564884841, -0.0012335830282712859732};
}  // namespace coefficients

struct bound_jensen_shannon {
  static constexpr double ln2 = 0.69314718055994530942;
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() {
    return {.5 * ln2, 0, .5 * ln2, .5 * ln2, 0, -unbounded};
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    using namespace coefficients;
    using math::coefficients::scaled;
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    V const half_ln2 = constant<V>(.5 * ln2);
    V const gauge = row_gauge(anchor);
    V const sum = x.p + x.q;
    // near: everything is even in y = ell/2;  log1p(½expm1 ell) = y + ln cosh y
    V const y = x.ell * constant<V>(.5);
    V const y2 = y * y;
    auto const near = y2 < constant<V>(near_bound * near_bound / 4);
    V near_v, near_loss;
    if constexpr (single) {
      near_v = math::polynomial(y2, scaled(-.5, math::coefficients::log_cosh_float));
      near_loss = y2 * math::polynomial(y2, scaled(.5, js_loss_float));
    } else {
      near_v = math::polynomial(y2, scaled(-.5, math::coefficients::log_cosh_double));
      near_loss = y2 * math::polynomial(y2, scaled(.5, js_loss_double));
    }
    near_v = math::fma(y2, near_v, math::fnma(y, constant<V>(.5), (gauge - V(1)) * half_ln2));
    // far: log1p(e^{−|ell|}) = 2 atanh(small/(small + 2 large)), one division and no exponential
    auto const below = y < V(0);
    V const small = math::select(below, x.p, x.q);
    V const large = math::select(below, x.q, x.p);
    V const l = math::atanh(V(small / ((large + smallest_normal<V>()) + sum)));
    V const positive = math::select(below, V(0), y);
    V const far_v = gauge * half_ln2 - (positive + l);
    // the loss over p + q, and what is left of it
    V const share = math::select(near, near_loss, half_ln2 - l);
    V const rest = math::select(near, V(0), small * math::abs(y));
    return {math::fms(sum, share, rest), V(x.q * math::select(near, near_v, far_v))};
  }
  DIVOT_HD bound_jensen_shannon dual() const { return {}; }
};

inline bound_jensen_shannon bound_of(jensen_shannon const&) { return {}; }

struct jensen_shannon_generator {
  double at_zero = .5 * 0.69314718055994530942, slope_at_infinity = .5 * 0.69314718055994530942;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::log;
    T const m = T((u + T(1)) / T(2));
    return T((u * log(u) - T(2) * m * log(m)) / T(2));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::log;
    return T(log(T(T(2) * u / (u + T(1)))) / T(2));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return T(T(.5) / (u * (u + T(1))));
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    using std::exp;
    using std::log;
    return T(log(T(T(2) - exp(T(T(2) * t)))) / T(-2));
  }
};
inline jensen_shannon_generator generator(jensen_shannon const&) { return {}; }

inline auto describe(jensen_shannon const&) {
  return description<jensen_shannon>{"jensen_shannon", "½ KL(p‖m) + ½ KL(q‖m), m = (p + q)/2"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
