// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>
#include <divot/family/power_gauge.hpp>

#include <cmath>

namespace divot {

/// Puri and Vincze's divergence, f(u) = ½|u − 1|^k/(u + 1)^{k−1}, k = order.
///
///   D(p, q) = ½ Σ_k |p_k − q_k|^k / (p_k + q_k)^{k−1}
///
/// Domain    k ≥ 1, finite; 1 is the total variation, 2 half of the triangular discrimination
/// Limits    p_k = 0 adds ½q_k; q_k = 0 adds ½p_k
/// Range     [0, 1] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = ½q h^{k−1} (h − 2k sgn(p − q) p/(p +
/// q)),
///           h = |p − q|/(p + q); 0 at a tie
/// Cost      1.8 times kl's for whole orders up to 5. Another order takes a logarithm and an
///           exponential a class, in rows whose anchor has p ≪ q two of each (a floor of 4
///           exponentials and 2 logarithms with the softmax's): 5.9 times kl's, measured in float
///           with AVX-512 by bench_divergence
/// Ref       Puri and Vincze (1990), Stat. Probab. Lett. 9(3), 223–228
struct puri_vincze {
  double order = 2;
};

inline namespace DIVOT_ABI {

class bound_puri_vincze {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return true; }

  DIVOT_HD explicit bound_puri_vincze(double k)
      : k_(k), less_(k - 1), twice_less_(2 * (k - 1)), gauge_(k - 1) {
    far_ = half_way(*this, .5);
  }

  DIVOT_HD double far_from() const { return far_.wide; }
  DIVOT_HD class_limits limits() const { return {.5, 0, .5, .5, 0, .5 - k_}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor, far_.on<V>());
    V const half_q = x.q * constant<V>(.5);
    V const sum = math::max(V(x.p + x.q), smallest_normal<V>());
    V const distance = math::abs(
        math::select(is_near(x.ell), near_difference(x, math::expm1_tail(x.ell)), V(x.p - x.q)));
    V const h = math::quotient(distance, sum);
    V const share = math::quotient(x.p, sum);
    V const power = math::power(h, less_);
    // h = ±(2 share − 1): h ∓ 2k share is ∓(1 + 2 (k − 1) share)
    V const growth = math::fma(twice_less_.on<V>(), share, V(1));
    V const inner = math::select(x.ell > V(0), V(-growth), growth);
    V const sized = math::select(x.ell == V(0), V(0), V(power * inner));
    V w = half_q * (sized + (gauge - V(1)));
    if (math::any<V>(gauge == V(0))) {
      auto const far = x.ell < constant<V>(-near_bound) && gauge == V(0);
      w = math::select(far, V(half_q * gauge_.at(V(share + share))), w);
    }
    return {V((distance * power) * constant<V>(.5)), w};
  }
  DIVOT_HD bound_puri_vincze dual() const { return *this; }

 private:
  double k_;
  exponent less_;
  parameter twice_less_;
  power_gauge gauge_;
  parameter far_ = -near_bound;
};

inline bound_puri_vincze bound_of(puri_vincze const& d) {
  if (!(d.order >= 1) || !std::isfinite(d.order)) {
    fail("puri_vincze: order is ", d.order, "; it must be finite and at least 1");
  }
  return bound_puri_vincze(d.order);
}

struct puri_vincze_generator {
  double k;
  double at_zero = .5, slope_at_infinity = .5;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::abs;
    using std::pow;
    return T((u + T(1)) / T(2) * pow(T(abs(T(u - T(1))) / (u + T(1))), k));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::abs;
    using std::pow;
    T const h = T(abs(T(u - T(1))) / (u + T(1)));
    T const rest = T(T(k) * pow(h, k - 1) / (u + T(1)));
    T const half = T(pow(h, k) / T(2));
    return u > T(1) ? T(half + rest) : u < T(1) ? T(half - rest) : T(0);
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    using std::abs;
    using std::pow;
    T const m = T(u + T(1));
    return T(T(2 * k * (k - 1)) * pow(T(abs(T(u - T(1))) / m), k - 2) / (m * m * m));
  }
};
inline puri_vincze_generator generator(puri_vincze const& d) { return {d.order}; }

inline auto describe(puri_vincze const&) {
  return description{"puri_vincze",
                     "½ Σ |p − q|^k/(p + q)^(k−1)",
                     {parameter_of<puri_vincze>{&puri_vincze::order, "order", "k ≥ 1", 1, 64}}};
}

}  // namespace DIVOT_ABI
}  // namespace divot
