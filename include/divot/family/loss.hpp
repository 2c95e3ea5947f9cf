// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/core/unpack.hpp>
#include <divot/family/description.hpp>
#include <divot/family/divergence/kl.hpp>
#include <divot/family/generator.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace divot {

/// D(q‖p): the divergence with its arguments exchanged.
template <class D>
struct reversed {
  D of;
};

/// weight · term.
template <class L>
struct scaled {
  double weight;
  L term;
};

/// A sum of terms: one read and one write of the logits for all of them. Terms that are infinite
/// with opposite signs (through negative weights) have no sum: it is NaN.
template <class... Terms>
struct sum {
  std::tuple<Terms...> terms;
};

/// A term at a temperature of its own, for teacher and student alike.
template <class L>
struct at_temperature {
  double temperature;
  L term;
  bool t_squared;  ///< multiply by T², as Hinton, Vinyals and Dean (2015) do
};

/// Tag for `at(4, kl{}, t_squared)`.
struct t_squared_tag {};
inline constexpr t_squared_tag t_squared{};

/// Cross-entropy with a label per row, smoothed on request.
///
///   CE = −Σ_k r_k log q_k,  r = (1 − ε)·one-hot(y) + ε/K over the K valid classes
///
/// Labels come from the teacher `labels(y, ε)` or from batch::labels. For the cross-entropy to a
/// soft teacher, use soft_cross_entropy.
///
/// z_loss adds z_loss·lse(s)², at temperature 1.
struct cross_entropy {
  double smoothing = 0;
  double z_loss = 0;
};

/// lse(s)², the square of the log-partition function of the student's raw logits.
/// Ref  Chowdhery et al. (2023), PaLM, JMLR 24(240)
struct z_loss {};

/// Cross-entropy to the teacher's distribution: −Σ_k p_k log q_k, "KL in CE form". Its gradient
/// with respect to the student is that of kl, its value larger by the teacher's entropy.
struct soft_cross_entropy {};

inline namespace DIVOT_ABI {

struct bound_dual_soft_cross_entropy;

struct bound_soft_cross_entropy {
  static constexpr bool needs_logs = true;
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() { return {0, 0, 1, unbounded, -1, -unbounded}; }
  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    // kl's w: the same gradient, and no difference of two nearly equal numbers
    return {V(-(x.p * x.log_q)), bound_kl{}.at(x, anchor).w};
  }
  DIVOT_HD bound_dual_soft_cross_entropy dual() const;
};
struct bound_dual_soft_cross_entropy {
  static constexpr bool needs_logs = true;
  static constexpr bool slopes_all_agree = true;  // log p at high temperatures
  static constexpr bool needs_exact_offset() { return false; }
  static constexpr class_limits limits() { return {unbounded, unbounded, 0, 0, 0, -unbounded}; }
  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const&) const {
    V const d = -(x.q * x.log_p);
    return {d, d};
  }
  DIVOT_HD bound_soft_cross_entropy dual() const { return {}; }
};
DIVOT_HD inline bound_dual_soft_cross_entropy bound_soft_cross_entropy::dual() const { return {}; }

inline bound_soft_cross_entropy bound_of(soft_cross_entropy const&) { return {}; }

template <class D>
requires requires(D const& d) { bound_of(d); }
auto bound_of(reversed<D> const& r) { return bound_of(r.of).dual(); }

template <class D>
requires requires(D const& d) { generator(d); }
auto generator(reversed<D> const& r) {
  auto const of = generator(r.of);
  return reversed_generator<std::remove_const_t<decltype(of)>>{of};
}

template <class L>
inline constexpr bool is_composite = false;
template <class L>
inline constexpr bool is_composite<scaled<L>> = true;
template <class... L>
inline constexpr bool is_composite<sum<L...>> = true;
template <class L>
inline constexpr bool is_composite<at_temperature<L>> = true;
template <>
inline constexpr bool is_composite<cross_entropy> = true;
template <>
inline constexpr bool is_composite<z_loss> = true;

/// No divergence, and yet it may have a reverse.
template <class L>
inline constexpr bool has_own_reverse = false;
template <class L>
inline constexpr bool has_own_reverse<scaled<L>> = true;
template <class... L>
inline constexpr bool has_own_reverse<sum<L...>> = true;
template <class L>
inline constexpr bool has_own_reverse<at_temperature<L>> = true;

/// A divergence: something that binds to its mathematics.
template <class L>
concept divergence = requires(L const& l) {
  bound_of(l).dual();
};

/// Anything the verbs accept as "what": a divergence, cross_entropy, z_loss, and sums, multiples
/// and tempered versions of them.
template <class L>
concept loss = divergence<std::remove_cvref_t<L>> || is_composite<std::remove_cvref_t<L>>;

template <divergence D>
constexpr reversed<D> reverse(D const& d) {
  return {d};
}
template <divergence D>
constexpr D reverse(reversed<D> const& d) {
  return d.of;
}
template <loss L>
requires(!divergence<L> && !has_own_reverse<L>) constexpr void reverse(L const&) {
  static_assert(
      divergence<L>,
      "divot: a divergence has a reverse, D(q‖p), and so has a sum of them; cross_entropy "
      "and z_loss have none");
}
template <class L>
constexpr auto reverse(scaled<L> const& s);
template <class... L>
constexpr auto reverse(sum<L...> const& s);
template <class L>
constexpr auto reverse(at_temperature<L> const& a);

template <class L>
constexpr auto reverse(scaled<L> const& s) {
  auto const term = reverse(s.term);
  return scaled<std::remove_const_t<decltype(term)>>{s.weight, term};
}
template <class... L>
constexpr auto reverse(sum<L...> const& s) {
  return unpack([](auto const&... t) { return sum<decltype(reverse(t))...>{{reverse(t)...}}; },
                s.terms);
}
template <class L>
constexpr auto reverse(at_temperature<L> const& a) {
  auto const term = reverse(a.term);
  return at_temperature<std::remove_const_t<decltype(term)>>{a.temperature, term, a.t_squared};
}

/// D(p‖q) + D(q‖p): of kl it is jeffreys, of pearson the symmetric χ².
template <divergence D>
constexpr sum<D, reversed<D>> symmetrized(D const& d) {
  return {{d, {d}}};
}
template <loss L>
requires(!divergence<L>) constexpr auto symmetrized(L const& l) {
  auto const other = reverse(l);
  return sum<L, std::remove_const_t<decltype(other)>>{{l, other}};
}

template <loss L>
constexpr at_temperature<L> at(double temperature, L const& term) {
  return {temperature, term, false};
}
template <loss L>
constexpr at_temperature<L> at(double temperature, L const& term, t_squared_tag) {
  return {temperature, term, true};
}
template <loss L, class... Rest>
constexpr auto at(L const&, double, Rest const&...) {
  static_assert(never<L>, "divot: at(T, loss): the temperature comes first: at(2, divot::kl{})");
}
template <class X, class... Rest>
requires(!loss<X>) constexpr auto at(double, X const&, Rest const&...) {
  static_assert(never<X>, "divot: at(T, loss) takes a loss: at(2, divot::kl{})");
}

/// A number beside a loss. Clang 14 refuses operators of two numbers before it asks what they are
/// for: 0.5f * value(…) would not compile.
struct bare_number {
  double value;
  constexpr bare_number(double x) : value(x) {}  // NOLINT: it is that number
};
template <loss L>
constexpr scaled<L> operator*(bare_number weight, L const& term) {
  return {weight.value, term};
}
template <loss L>
constexpr scaled<L> operator*(L const& term, bare_number weight) {
  return {weight.value, term};
}
template <loss L>
constexpr scaled<L> operator/(L const& term, bare_number divisor) {
  return {1 / divisor.value, term};
}
template <loss L>
constexpr scaled<L> operator-(L const& term) {
  return {-1, term};
}

template <loss A, loss B>
constexpr sum<A, B> operator+(A const& a, B const& b) {
  return {{a, b}};
}
template <loss A, loss B>
constexpr sum<A, scaled<B>> operator-(A const& a, B const& b) {
  return {{a, -b}};
}

inline auto describe(cross_entropy const&) {
  return description{
      "cross_entropy",
      "−Σ r ln q + c (ln Σ e^s)², r = (1 − ε)·[k = label] + ε/K",
      {parameter_of<cross_entropy>{&cross_entropy::smoothing, "smoothing", "ε in [0, 1)", 0, .999},
       parameter_of<cross_entropy>{&cross_entropy::z_loss, "z_loss", "c, the weight of the z-loss",
                                   0, 1e3}},
      "labels"};
}
inline auto describe(soft_cross_entropy const&) {
  return description<soft_cross_entropy>{"soft_cross_entropy", "−Σ p ln q"};
}
inline auto describe(z_loss const&) {
  return description<z_loss>{"z_loss",
                             "(ln Σ e^s)², s the student's logits at temperature 1",
                             {},
                             "at temperature 1, inside at(T, …) too"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
