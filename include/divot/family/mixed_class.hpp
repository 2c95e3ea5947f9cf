// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/family/class_mixture.hpp>

#include <cmath>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// A class seen by a divergence between one side and the mixture m = weight·p + rest·q.
class mixed_class {
 public:
  DIVOT_HD mixed_class(double weight, double rest)
      : mixture_(weight, rest), share_ratio_(weight / rest) {}

  template <class V>
  struct seen {
    class_point<V> of_p;  // p and m in the places of p and q
    class_point<V> of_q;  // q and m
    V share;              // rest·q/m
  };

  /// For divergences that take powers of m, x_q is its logarithm. `relative`: ell relative to the
  /// anchor's is wanted too.
  template <class V>
  DIVOT_INLINE seen<V> at(class_point<V> const& x, V const& anchor, bool relative) const {
    auto const mix = mixture_.at(x);
    seen<V> y{x, x.swapped(), math::quotient(mix.student, mix.mixture)};
    if constexpr (std::is_same_v<V, long double>) {
      y.share = 1 / (1 + share_ratio_.wide * std::exp(x.ell));
    }
    y.of_p.q = y.of_q.q = mix.mixture;
    y.of_p.ell = math::select(is_close(x.ell), from_p(x.ell), V(-mix.log_over_p));
    y.of_q.ell = math::select(is_close(x.ell), from_q(x.ell), V(-mix.log_over_q));
    y.of_p.log_q = y.of_q.log_q = y.of_p.x_q = y.of_q.x_q = x.log_q + mix.log_over_q;
    if (relative) {
      // what is left of ln(m/q) and of ln(m/p) without the other side
      V const over_q = mixture_.shifted_over_q(x, mix);
      V const over_p = mixture_.shifted_over_p(x, mix);
      V const balance = mixture_.log_ratio().template on<V>() + anchor;  // ln(πp/((1 − π)q)) there
      auto const below = balance < V(0), close = is_close(anchor);
      // one side prevails here and the other at the anchor: their logarithms are small in size, or
      // no larger than their difference
      auto const of_p = V(mixture_.log_ratio().template on<V>() + x.ell) > V(0);
      auto const within = math::abs(anchor) < constant<V>(60);
      auto const apart_p = close || (within && below && of_p);
      auto const apart_q = close || (within && !below && !of_p);
      V const there = math::log1p(math::exp(V(-math::abs(balance))));
      V const step_q = over_q - there, step_p = over_p - there;
      y.of_p.relative = math::select(apart_p, V(y.of_p.ell - p_anchor(anchor)),
                                     math::select(below, V(x.relative - step_q), V(-step_p)));
      y.of_q.relative = math::select(apart_q, V(y.of_q.ell - q_anchor(anchor)),
                                     math::select(below, V(-step_q), V(-(x.relative + step_p))));
    }
    return y;
  }

  /// ln(p/m) and ln(q/m) at the anchor.
  template <class V>
  DIVOT_INLINE V p_anchor(V const& anchor) const {
    return V(-math::log1p(V(rest().template on<V>() * math::expm1(V(-bounded(anchor))))));
  }
  template <class V>
  DIVOT_INLINE V q_anchor(V const& anchor) const {
    return V(-math::log1p(V(weight().template on<V>() * math::expm1(bounded(anchor)))));
  }

  DIVOT_HD parameter const& weight() const { return mixture_.weight(); }
  DIVOT_HD parameter const& rest() const { return mixture_.rest(); }
  DIVOT_HD class_mixture const& mixture() const { return mixture_; }
  /// weight/rest
  DIVOT_HD parameter const& share_ratio() const { return share_ratio_; }

 private:
  template <class V>
  static DIVOT_INLINE mask_of<V> is_close(V const& ell) {
    return ell * ell < constant<V>(.16);
  }
  template <class V>
  static DIVOT_INLINE V bounded(V const& anchor) {
    return math::max(V(-80), math::min(V(80), anchor));
  }
  /// −ln(1 + part (e^y − 1)) for |y| < .4.
  template <class V>
  static DIVOT_INLINE V close_log(V const& y, V const& part) {
    V const t = part * math::fma(V(y * y), math::expm1_tail(y), y);
    return V(-math::atanh2(V(t / (V(2) + t))));
  }
  template <class V>
  DIVOT_INLINE V from_p(V const& ell) const {
    V const y = V(-ell);
    return close_log(math::select(is_close(y), y, V(0)), rest().template on<V>());
  }
  template <class V>
  DIVOT_INLINE V from_q(V const& ell) const {
    return close_log(math::select(is_close(ell), ell, V(0)), weight().template on<V>());
  }
  class_mixture mixture_;
  parameter share_ratio_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
