// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_point.hpp>
#include <divot/family/description.hpp>
#include <divot/family/generator.hpp>

namespace divot {

/// Marton's divergence, f(u) = (1 − u)₊²: Pearson's where the teacher's probability is the smaller.
///
///   D(p, q) = Σ_k (q_k − p_k)₊² / q_k
///
/// Limits    p_k = 0 adds q_k; q_k = 0 adds 0
/// Range     [0, 1] for distributions
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = q − p²/q where p < q, else 0
/// Ref       Marton (1996), Ann. Probab. 24(2), 857–866
struct marton {};

inline namespace DIVOT_ABI {

struct bound_dual_marton;

struct bound_marton {
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return true; }  // f'' jumps at p = q
  static constexpr bool has_flat_side = true;
  static constexpr class_limits limits() { return {1, 0, 1, 0, 0, 0}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    auto const near = is_near(x.ell);
    auto const below = x.ell < V(0);
    V const e = math::fma(V(x.ell * x.ell), math::expm1_tail(x.ell), x.ell);  // expm1(ell)
    V const q_e = x.q * e;
    V const square = x.p * math::quotient(x.p, math::max(x.q, smallest_normal<V>()));  // p²/q
    V const far_loss = (square - x.p) - (x.p - x.q);
    V const shift = (gauge - V(1)) * x.q;
    V const w =
        math::select(near, math::fnma(q_e, V(V(2) + e), shift), math::fms(gauge, x.q, square));
    return {math::select(below, math::select(near, V(q_e * e), far_loss), V(0)),
            math::select(below, w, shift)};
  }
  DIVOT_HD bound_dual_marton dual() const;
};

struct bound_dual_marton {
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return true; }
  static constexpr bool has_flat_side = true;
  static constexpr class_limits limits() { return {0, 0, 0, 1, 0, -2}; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const&) const {
    auto const near = is_near(x.ell);
    auto const above = x.ell > V(0);
    V const back = -x.ell;
    V const near_e = math::fma(V(back * back), math::expm1_tail(back), back);  // expm1(−ell)
    V const far_e = math::quotient(V(x.q - x.p), math::max(x.p, smallest_normal<V>()));
    V const e = math::select(above, math::select(near, near_e, far_e), V(0));
    return {V((x.p * e) * e), V((V(2) * x.q) * e)};
  }
  DIVOT_HD bound_marton dual() const { return {}; }
};

DIVOT_HD inline bound_dual_marton bound_marton::dual() const { return {}; }

inline bound_marton bound_of(marton const&) { return {}; }

struct marton_generator {
  double at_zero = 1, slope_at_infinity = 0;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    return u < T(1) ? T((T(1) - u) * (T(1) - u)) : T(0);
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    return u < T(1) ? T(T(-2) * (T(1) - u)) : T(0);
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    return u < T(1) ? T(2) : T(0);
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    return T(t + t * t / T(4));
  }
};
inline marton_generator generator(marton const&) { return {}; }

inline auto describe(marton const&) { return description<marton>{"marton", "Σ max(q − p, 0)²/q"}; }

}  // namespace DIVOT_ABI
}  // namespace divot
