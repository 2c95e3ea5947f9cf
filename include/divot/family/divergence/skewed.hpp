// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/jet.hpp>
#include <divot/core/unpack.hpp>
#include <divot/family/bound_sum.hpp>
#include <divot/family/generator.hpp>
#include <divot/family/loss.hpp>
#include <divot/family/mixed_class.hpp>

#include <array>
#include <type_traits>
#include <utility>

namespace divot {

/// A divergence to the mixture of both. Made by `skew(D, teacher_weight)`.
///
///   D(p ‖ m),  m = πp + (1 − π)q,  π = teacher_weight
///
/// Domain    0 < π < 1. Its reverse is D(q ‖ πq + (1 − π)p).
/// Limits    q_k = 0 adds πp_k f(1/π) for an f-divergence: finite; p_k = 0 adds (1 − π)q_k f(0)
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = (1 − π)q/m times that of D in m
/// Ref       Lee (2001), AISTATS, for D = KL
template <class D>
struct skewed {
  D of;
  double teacher_weight;
};

inline namespace DIVOT_ABI {

template <class B>
DIVOT_HD auto reverse_skewed(B const& inner, mixed_class const& mixed);

/// D(p‖m) for the bound divergence B of D. Logs: B takes powers, by the logarithm of m.
template <class B, bool Logs = asks_for_powers<B>()>
class bound_skewed {
 public:
  static constexpr bool needs_powers = asks_for_powers<B>();
  static constexpr bool needs_logs = B::needs_logs || Logs;
  static constexpr bool needs_relative = asks_for_relative<B>();
  static constexpr bool spans_range = asks_for_range<B>();

  DIVOT_HD bound_skewed(B const& inner, mixed_class const& mixed) : inner_(inner), mixed_(mixed) {}

  DIVOT_HD bool needs_exact_offset() const { return inner_.needs_exact_offset(); }
  DIVOT_HD auto reach() const { return inner_.reach(); }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    auto const y = mixed_.at(x, anchor, needs_relative);
    auto const terms = inner_.at(y.of_p, mixed_.p_anchor(anchor));
    return {terms.loss, V(terms.w * y.share)};
  }
  template <class V>
  DIVOT_HD class_terms<V> at_edge(class_point<V> x, V const& anchor, mask_of<V> const& p_zero,
                                  mask_of<V> const& q_zero) const {
    auto const never = p_zero && !p_zero;
    auto y = mixed_.at(x, anchor, needs_relative);
    V const there = mixed_.p_anchor(anchor);
    // without q: m = πp
    auto const& mixture = mixed_.mixture();
    y.of_p.ell = math::select(q_zero, V(-mixture.log_weight().template on<V>()), y.of_p.ell);
    V const log_m = x.log_p + mixture.log_weight().template on<V>();
    y.of_p.log_q = y.of_p.x_q = math::select(q_zero, log_m, y.of_p.log_q);
    auto const terms = edge_terms(inner_, inner_.at(y.of_p, there), y.of_p, there, p_zero, never);
    V const share = math::select(q_zero, V(0), math::select(p_zero, V(1), y.share));
    return {terms.loss, math::select(share == V(0), V(0), V(terms.w * share))};
  }
  template <class V>
  DIVOT_HD V omega_at_zero_q(V const& p, V const& anchor) const {
    auto const& mixture = mixed_.mixture();
    class_point<V> y{};
    y.p = p;
    y.q = mixture.weight().template on<V>() * p;
    y.ell = V(-mixture.log_weight().template on<V>());
    y.log_p = math::log(p);
    y.log_q = y.x_q = y.log_p - y.ell;
    V const there = mixed_.p_anchor(anchor);
    y.relative = V(y.ell - there);
    return V(inner_.at(y, there).w / y.q * mixture.rest().template on<V>());
  }
  DIVOT_HD auto dual() const {
    return reverse_skewed(inner_, mixed_class(mixed_.rest().wide, mixed_.weight().wide));
  }

  template <class V, class R>
  DIVOT_HD auto on_row(math::row_probability<R> const& p, math::row_probability<R> const&,
                       two_words<R> const& anchor) const {
    // m by its logarithm
    two_words<R> const there{mixed_.p_anchor(anchor.high), R(0)};
    auto const form = inner_.template on_row<V>(p, math::row_probability<R>{R(0), R(1)}, there);
    return bound_skewed<std::remove_const_t<decltype(form)>, true>(form, mixed_);
  }

 private:
  B inner_;
  mixed_class mixed_;
};

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
      if (math::any<V>(far)) {
        V const ratio = mixed_.share_ratio().template on<V>() * math::exp(math::min(x.ell, V(80)));
        V const direct = math::fnma(at_zero_.on<V>(), x.q, w);
        constexpr std::size_t few = std::is_same_v<scalar_of<V>, float> ? 14 : order - 2;
        V const series = (x.q * ratio) * series_sum<few>(ratio, series_);
        w = math::select(far, math::select(ratio < constant<V>(.3), series, direct), w);
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
      V const shifted = math::select(q_zero, w, math::fnma(at_zero_.on<V>(), x.q, w));
      auto const either = p_zero || q_zero;
      V const settled = math::select(p_zero, V(0), math::select(far, shifted, w));
      return {own.loss, math::select(far, math::select(either, settled, at(x, anchor).w), w)};
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
  static DIVOT_INLINE mask_of<V> is_far(V const& anchor) {
    return anchor < constant<V>(Series ? -near_bound : -unbounded);
  }

  /// ω around p = 0 as a series in y = (1 − π)p/(πq): there m = πq(1 + y).
  DIVOT_HD void set_series() {
    using number = jet<order>;
    number const grown = number(1.) + number::variable();
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
  }

  B inner_;
  Flipped flipped_;
  mixed_class mixed_;
  parameter at_zero_ = 0;  // ω without p, centred
  std::array<parameter, order> series_{};
};

template <class B>
DIVOT_HD auto reverse_skewed(B const& inner, mixed_class const& mixed) {
  auto const flipped = inner.dual();
  return bound_reverse_skewed<B, std::remove_const_t<decltype(flipped)>, !asks_for_powers<B>()>(
      inner, flipped, mixed);
}

template <class D>
auto bound_of(skewed<D> const& d) {
  check_open_unit(d.teacher_weight, "skew", "teacher_weight",
                  "at 0 it is the divergence itself, at 1 it is 0");
  auto const inner = bound_of(d.of);
  return bound_skewed<std::remove_const_t<decltype(inner)>>(
      inner, mixed_class(d.teacher_weight, 1 - d.teacher_weight));
}

template <class D>
requires requires(D const& d) { generator(d); }
auto generator(skewed<D> const& d) {
  auto const of = generator(d.of);
  return skewed_generator<std::remove_const_t<decltype(of)>>{of, d.teacher_weight};
}

/// D(p ‖ πp + (1 − π)q) of a divergence, or of each term of a weighted sum of them.
template <divergence D>
constexpr skewed<D> skew(D const& d, double teacher_weight) {
  return {d, teacher_weight};
}
template <class L>
constexpr auto skew(scaled<L> const& s, double teacher_weight) {
  auto const term = skew(s.term, teacher_weight);
  return scaled<std::remove_const_t<decltype(term)>>{s.weight, term};
}
template <class... L>
constexpr auto skew(sum<L...> const& s, double teacher_weight) {
  return unpack(
      [&](auto const&... t) {
        return sum<decltype(skew(t, teacher_weight))...>{{skew(t, teacher_weight)...}};
      },
      s.terms);
}

}  // namespace DIVOT_ABI
}  // namespace divot
