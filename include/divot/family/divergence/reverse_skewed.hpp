// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/jet.hpp>
#include <divot/family/bound_sum.hpp>
#include <divot/family/mixed_class.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

template <class B, bool Logs = asks_for_powers<B>()>
class bound_skewed;

/// D(q‖m), m = (1 − π)p + πq: the reverse of a skewed divergence. Flipped is the dual of B.
///
/// Series: ω without p is known, and what is left of it for small p; not where B takes powers.
template <class B, class Flipped, bool Series>
class bound_reverse_skewed {
 public:
  static constexpr bool needs_powers = asks_for_powers<B>();
  static constexpr bool needs_logs = B::needs_logs || Flipped::needs_logs || !Series;
  static constexpr bool needs_relative = asks_for_relative<B>() || asks_for_relative<Flipped>();
  static constexpr bool spans_range = asks_for_range<B>() || asks_for_range<Flipped>();
  static constexpr double roundings = 2;  // its w has those of two

  /// `mixed`: with 1 − π the weight of p.
  DIVOT_HD bound_reverse_skewed(B const& inner, Flipped const& flipped, mixed_class const& mixed)
      : inner_(inner), flipped_(flipped), mixed_(mixed) {
    if constexpr (Series) set_series();
  }

  DIVOT_HD bool needs_exact_offset() const { return inner_.needs_exact_offset(); }
  DIVOT_HD auto reach() const {
    auto all = inner_.reach();
    all.join(flipped_.reach());
    return all;
  }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    auto const far = is_far(anchor);
    V const there = mixed_.q_anchor(math::select(far, V(0), anchor));
    auto const y = mixed_.at(x, math::select(far, V(-80), anchor), needs_relative);
    auto const own = inner_.at(y.of_q, there);
    auto const other = flipped_.at(y.of_q.swapped(), V(-there));
    V w = math::fma(own.w, y.share, other.w);
    if constexpr (Series) {
      V const z = math::quotient(V(mixed_.weight().template on<V>() * x.p), y.of_q.q);
      if constexpr (!needs_relative) {
        // centred, own.w + other.w is the loss: nothing cancels where p has a small part of m
        auto const centred = is_near(there) && z < constant<V>(.5);
        w = math::select(centred, math::fnma(z, own.w, own.loss), w);
      }
      if (math::any<V>(far)) {
        constexpr bool single = std::is_same_v<scalar_of<V>, float>;
        V const direct = math::fnma(at_zero_.on<V>(), x.q, w);
        auto const within = z < (single ? reach_float_ : reach_double_).template on<V>();
        w = math::select(far, math::select(within, V(x.q * shifted(z)), direct), w);
      }
    }
    return {own.loss, w};
  }
  template <class V>
  DIVOT_HD class_terms<V> at_edge(class_point<V> const& x, V const& anchor,
                                  mask_of<V> const& p_zero, mask_of<V> const& q_zero) const {
    auto const never = p_zero && !p_zero;
    auto const far = is_far(anchor);
    V const there = mixed_.q_anchor(math::select(far, V(0), anchor));
    auto y = mixed_.at(x, math::select(far, V(-80), anchor), needs_relative);
    // without p: m = πq
    V const log_rest = mixed_.mixture().log_rest().template on<V>();
    y.of_q.ell = math::select(p_zero, V(-log_rest), y.of_q.ell);
    y.of_q.log_q = y.of_q.x_q = math::select(p_zero, V(x.log_q + log_rest), y.of_q.log_q);
    auto const own = edge_terms(inner_, inner_.at(y.of_q, there), y.of_q, there, q_zero, never);
    auto const back = y.of_q.swapped();
    auto const other =
        edge_terms(flipped_, flipped_.at(back, V(-there)), back, V(-there), never, q_zero);
    V const share = math::select(p_zero, V(1), y.share);
    V const w = V(other.w + math::select(q_zero, V(0), V(own.w * share)));
    if constexpr (Series) {
      V const of_p_zero = math::select(far, V(0), w);
      V const either = math::select(p_zero, of_p_zero, at(x, anchor).w);
      return {own.loss, math::select(q_zero, w, either)};
    } else {
      return {own.loss, w};
    }
  }
  template <class V>
  DIVOT_HD V omega_at_zero_q(V const& p, V const& anchor) const {
    auto const far = is_far(anchor);
    V const there = mixed_.q_anchor(math::select(far, V(0), anchor));
    V const m = mixed_.weight().template on<V>() * p;
    V const other = omega_without_q(flipped_, m, V(-there));
    class_point<V> y{};
    y.q = m;
    y.log_q = y.x_q = math::log(m);
    auto const always = m == m;
    auto const own = edge_terms(inner_, inner_.at(y, there), y, there, always, !always);
    V const part = V(own.w / m * mixed_.rest().template on<V>());
    V const total = math::select(math::abs(other) == infinity<V>(), other, V(other + part));
    return math::select(far, V(total - at_zero_.on<V>()), total);
  }
  DIVOT_HD bound_skewed<B> dual() const {
    return {inner_, mixed_class(mixed_.rest().wide, mixed_.weight().wide)};
  }

  template <class V, class R>
  DIVOT_HD auto on_row(math::row_probability<R> const&, math::row_probability<R> const& q,
                       two_words<R> const& anchor) const {
    math::row_probability<R> const m{R(0), R(1)};  // m by its logarithm
    R const near = math::select(is_far(anchor.high), R(0), anchor.high);
    two_words<R> const there{mixed_.q_anchor(near), R(0)}, back{R(-there.high), R(0)};
    auto const form = inner_.template on_row<V>(q, m, there);
    auto const flipped = flipped_.template on_row<V>(m, q, back);
    return bound_reverse_skewed<std::remove_const_t<decltype(form)>,
                                std::remove_const_t<decltype(flipped)>, false>(form, flipped,
                                                                               mixed_);
  }

 private:
  static constexpr std::size_t order = 34;

  template <class V>
  DIVOT_INLINE mask_of<V> is_far(V const& anchor) const {
    return anchor < far_.on<V>();
  }

  /// ω less what it is without p, by the series.
  template <class V>
  DIVOT_INLINE V shifted(V const& z) const {
    return V(z * series_sum<order - 2>(z, series_));  // of even terms: the faster
  }

  /// ω around p = 0 as a series in p's share of the mixture, z = (1 − π)p/m: m = πq/(1 − z).
  DIVOT_HD void set_series() {
    using number = jet<order>;
    number const grown = number(1.) / (number(1.) - number::variable());
    class_point<number> x{};
    x.p = 1.;
    x.q = number(mixed_.rest().wide) * grown;
    x.relative = -log(grown);
    x.ell = x.relative - number(mixed_.mixture().log_rest().wide);
    x.log_p = 0.;
    x.log_q = -x.ell;
    auto const own = inner_.at(x, number(0.));
    auto const other = flipped_.at(x.swapped(), number(0.));
    number const omega = other.w + own.w / grown;
    at_zero_ = omega.c[0];
    for (std::size_t n = 0; n + 1 < order; ++n) series_[n] = omega.c[n + 1];
    double const ratio = reach_of_series(1e-8), least = std::min(ratio, reach_of_series(1e-14));
    reach_float_ = ratio / (1 + ratio);
    reach_double_ = least / (1 + least);
    // beyond the series ω less at_zero is a difference, and the centred ω has more digits
    far_ = std::min(-near_bound, std::log(ratio / mixed_.share_ratio().wide));
  }
  /// The (1 − π)p/(πq) up to which the series is ω: it has converged, and there is no kink before.
  DIVOT_HD double reach_of_series(double tolerance) const {
    double ratio = 2;
    for (; ratio > 1e-30; ratio *= .7) {
      class_point<double> x{};
      x.ell = x.log_p = x.x_p = std::log(ratio / mixed_.share_ratio().wide);
      x.p = std::exp(x.ell);
      x.q = 1;
      auto const y = mixed_.at(x, -80., needs_relative);
      double const of_m = inner_.at(y.of_q, 0.).w, of_q = flipped_.at(y.of_q.swapped(), 0.).w;
      double const w = of_m * y.share + of_q;
      double const error = w - (at_zero_.wide + shifted(ratio / (1 + ratio)));
      if (std::abs(error) <= tolerance * std::max(std::abs(w), std::abs(at_zero_.wide))) break;
    }
    return ratio;
  }

  B inner_;
  Flipped flipped_;
  mixed_class mixed_;
  parameter at_zero_ = 0;  // ω without p, centred
  std::array<parameter, order> series_{};
  parameter reach_float_ = 0, reach_double_ = 0;  // z up to which it is ω, in float and beyond
  parameter far_ = Series ? -near_bound : -unbounded;  // the anchor's ell below which p is small
};

template <class B>
DIVOT_HD auto reverse_skewed(B const& inner, mixed_class const& mixed) {
  auto const flipped = inner.dual();
  return bound_reverse_skewed<B, std::remove_const_t<decltype(flipped)>, !asks_for_powers<B>()>(
      inner, flipped, mixed);
}

}  // namespace DIVOT_ABI
}  // namespace divot
