// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/probability_power.hpp>
#include <divot/core/unpack.hpp>
#include <divot/family/class_point.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// Whether a divergence wants ell relative to the anchor's (`needs_relative`).
template <class Bound>
constexpr bool asks_for_relative() {
  return requires { requires Bound::needs_relative; };
}
/// Whether a divergence takes powers of probabilities (`needs_powers`). It then has
///
///   on_row<V>(p, q, anchor)  its form for a row of these probabilities, in the place of itself;
///                            the anchor's ell in two words
///   reach()                  how far its exponents go
///
/// and that form has besides
///
///   weights(x)         the powers of p and q that its limits are in units of
///   w_at_zero_p(x, w)  w as p → 0, w that power of q
///   gauge_shift()      what its gauge adds to w/q
///   slope_taken()      |ω| of the anchor, where `at` has subtracted it already
template <class Bound>
constexpr bool asks_for_powers() {
  return requires { requires Bound::needs_powers; };
}
/// Whether a divergence is large where probabilities leave the type's range (`spans_range`).
template <class Bound>
constexpr bool asks_for_range() {
  return requires { requires Bound::spans_range; };
}

/// Whether w̃ is exactly what the slopes say (`slopes_are_exact`), however near they are.
template <class Bound>
constexpr bool has_exact_slopes() {
  return requires { requires Bound::slopes_are_exact; };
}
/// Whether a divergence is constant on one side of p = q (`has_flat_side`).
template <class Bound>
constexpr bool asks_for_flat_side() {
  return requires { requires Bound::has_flat_side; };
}
/// How many times as many roundings as others' a w takes (`roundings`), so that w̃ may lose the
/// less.
template <class Bound>
constexpr double roundings_of() {
  if constexpr (requires { Bound::roundings; }) {
    return Bound::roundings;
  } else {
    return 1;
  }
}
/// Whether all classes of a long row may have nearly the same slope (`slopes_all_agree`).
template <class Bound>
constexpr bool asks_for_agreement() {
  return requires { requires Bound::slopes_all_agree; };
}

/// A weighted sum of bound divergences seen as one. The empty sum stands for "no divergence".
template <class... Bounds>
struct bound_sum {
  std::tuple<std::pair<double, Bounds>...> terms;

  static constexpr bool needs_logs = (Bounds::needs_logs || ...);
  static constexpr bool needs_powers = (asks_for_powers<Bounds>() || ...);
  static constexpr bool needs_relative = (asks_for_relative<Bounds>() || ...);
  static constexpr bool spans_range = (asks_for_range<Bounds>() || ...);
  static constexpr bool has_flat_side = (asks_for_flat_side<Bounds>() || ...);
  static constexpr bool slopes_all_agree = (asks_for_agreement<Bounds>() || ...);
  static constexpr double roundings = std::max({1., roundings_of<Bounds>()...});
  static constexpr bool slopes_are_exact = (has_exact_slopes<Bounds>() && ...);
  static constexpr bool is_empty = sizeof...(Bounds) == 0;

  DIVOT_HD bool needs_exact_offset() const {
    return unpack([](auto const&... t) { return (t.second.needs_exact_offset() || ...); }, terms);
  }
  /// How far the exponents of all go.
  DIVOT_HD power_reach reach() const {
    power_reach all;
    unpack([&](auto const&... t) { (..., all.join(reach_of(t.second))); }, terms);
    return all;
  }
  /// The divergences on lanes V, for a row of these probabilities.
  template <class V, class R>
  DIVOT_HD auto on_row(math::row_probability<R> const& p, math::row_probability<R> const& q,
                       two_words<R> const& anchor) const {
    return unpack(
        [&](auto const&... t) {
          return bound_sum<decltype(form_on_row<V>(t.second, p, q, anchor))...>{
              {std::pair(t.first, form_on_row<V>(t.second, p, q, anchor))...}};
        },
        terms);
  }
  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    return combine<V>([&](auto const& bound) DIVOT_LAMBDA_INLINE { return bound.at(x, anchor); });
  }
  /// As `at`, for classes of which one probability may be exactly 0.
  template <class V>
  DIVOT_HD class_terms<V> at_edge(class_point<V> const& x, V const& anchor,
                                  mask_of<V> const& p_zero, mask_of<V> const& q_zero) const {
    return combine<V>([&](auto const& bound) {
      return edge_terms(bound, bound.at(x, anchor), x, anchor, p_zero, q_zero);
    });
  }
  /// w/q as q → 0, given p.
  template <class V>
  DIVOT_HD V omega_at_zero_q(V const& p, V const& anchor) const {
    V total(0);
    unpack(
        [&](auto const&... t) {
          // the weight of a single term is the row's business
          (..., (t.first != 0
                     ? add_limit(total, sizeof...(Bounds) == 1 ? 1. : t.first, t.second, p, anchor)
                     : void()));
        },
        terms);
    return total;
  }
  /// |ω| of what forms have subtracted from w by themselves (`slope_taken`).
  template <class R>
  DIVOT_HD R slope_taken() const {
    R total(0);
    unpack([&](auto const&... t) { (..., add_slope(total, t.first, t.second)); }, terms);
    return total;
  }
  DIVOT_HD auto dual() const {
    return unpack(
        [](auto const&... t) {
          return bound_sum<decltype(t.second.dual())...>{{std::pair(t.first, t.second.dual())...}};
        },
        terms);
  }

 private:
  template <class Bound>
  DIVOT_HD static power_reach reach_of([[maybe_unused]] Bound const& bound) {
    if constexpr (asks_for_powers<Bound>()) {
      return bound.reach();
    } else {
      return {};
    }
  }
  template <class V, class Bound, class R>
  DIVOT_HD static auto form_on_row(Bound const& bound,
                                   [[maybe_unused]] math::row_probability<R> const& p,
                                   [[maybe_unused]] math::row_probability<R> const& q,
                                   [[maybe_unused]] two_words<R> const& anchor) {
    if constexpr (asks_for_powers<Bound>()) {
      return bound.template on_row<V>(p, q, anchor);
    } else {
      return bound;
    }
  }
  template <class R, class Form>
  DIVOT_HD static void add_slope([[maybe_unused]] R& total, [[maybe_unused]] double weight,
                                 [[maybe_unused]] Form const& form) {
    if constexpr (requires { form.slope_taken(); }) {
      total = R(total +
                constant<R>(sizeof...(Bounds) == 1 ? 1. : std::abs(weight)) * form.slope_taken());
    }
  }
  template <class V, class Bound>
  DIVOT_HD static void add_limit(V& total, double weight, Bound const& bound, V const& p,
                                 V const& anchor) {
    total = V(total + constant<V>(weight) * omega_without_q(bound, p, anchor));
  }
  template <class V, class F>
  DIVOT_INLINE class_terms<V> combine(F const& term) const {
    if constexpr (sizeof...(Bounds) == 1) {
      // the weight of a single term is the row's business
      return term(std::get<0>(terms).second);
    } else {
      class_terms<V> total{V(0), V(0)};
      unpack(
          [&](auto const&... t) DIVOT_LAMBDA_INLINE {
            (..., (t.first != 0 ? add(total, t.first, term(t.second)) : void()));
          },
          terms);
      return total;
    }
  }
  template <class V>
  static DIVOT_INLINE void add(class_terms<V>& total, double weight, class_terms<V> const& t) {
    V const c = constant<V>(weight);
    total.loss = V(total.loss + c * t.loss);
    total.w = V(total.w + c * t.w);
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
