// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/unpack.hpp>
#include <divot/family/bound_sum.hpp>
#include <divot/family/divergence/reverse_skewed.hpp>
#include <divot/family/generator.hpp>
#include <divot/family/loss.hpp>
#include <divot/family/mixed_class.hpp>

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

/// D(p‖m) for the bound divergence B of D. Logs: B takes powers, by the logarithm of m.
template <class B, bool Logs>
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
