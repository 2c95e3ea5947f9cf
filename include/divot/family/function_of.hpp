// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/family/description.hpp>
#include <divot/family/divergence/alpha_beta.hpp>
#include <divot/family/loss.hpp>
#include <divot/family/row_function.hpp>

#include <cmath>
#include <type_traits>

namespace divot {

/// A power of a row's divergence. Made by `power(D, r)`.
///
///   D(p, q)^r
///
/// power(jensen_shannon{}, .5) and power(.5 * squared_hellinger{}, .5) are distances.
///
/// Domain    r > 0, finite; D a divergence or a sum of them with weights ≥ 0
/// Gradient  r D^{r−1} times that of D; 0 where D = 0 and r ≠ 1
template <class L>
struct powered {
  L of;
  double exponent;
};

/// Rényi divergence of any order.
///
///   R_a(p‖q) = ln(Σ_k p_k^a q_k^{1−a}) / (a − 1),  a = order
///
/// a → 1 is KL(p‖q); a = ∞ is the maximum of ln(p/q), a subgradient of it where several attain it.
///
/// Domain    0 < a ≤ ∞
/// Limits    a < 1: finite unless p and q are disjoint; a ≥ 1: q_k = 0 < p_k gives +inf
/// Range     [0, ∞)
/// Gradient  with respect to logits: (q_k − e_k)/T, e_k = p_k^a q_k^{1−a}/Σ
/// Ref       van Erven and Harremoës (2014), IEEE Trans. Inf. Theory 60(7), 3797–3820
struct renyi {
  double order = 2;
};

/// Bhattacharyya distance, half the Rényi divergence of order ½.
///
///   D(p, q) = −ln Σ_k √(p_k q_k)
///
/// Range     [0, ∞)
/// Ref       Bhattacharyya (1943), Bull. Calcutta Math. Soc. 35, 99–109
struct bhattacharyya {};

/// Sharma–Mittal divergence.
///
///   D(p‖q) = (S^{(1−b)/(1−a)} − 1)/(b − 1),  S = Σ_k p_k^a q_k^{1−a},  a = order, b = degree
///
/// b → 1 is the Rényi divergence, b = a Tsallis's.
///
/// Domain    0 < a < ∞, b finite
/// Range     [0, ∞), for b < 1 [0, 1/(1 − b)]
/// Ref       Sharma and Mittal (1975), J. Math. Sci. 10, 28–40
struct sharma_mittal {
  double order = 0.5;
  double degree = 2;
};

/// The logarithmic α-β divergence (γ-divergence at α = 1, β = γ).
///
///   D(p‖q) = ln Σp^λ/(βλ) + ln Σq^λ/(αλ) − ln Σp^α q^β/(αβ),  λ = α + β
///
/// Computed as R_{α/λ}(P‖Q)/(αλ) with the escort distributions P ∝ p^λ and Q ∝ q^λ, which has the
/// right limits at α = 0 and β = 0 and does not cancel near p = q.
///
/// Domain    α, β finite, α + β > 0
/// Range     [0, ∞)
/// Ref       Cichocki, Cruces and Amari (2011), Entropy 13(1), 134–170; Fujisawa and Eguchi (2008),
///           J. Multivar. Anal. 99(9), 2053–2081
struct log_alpha_beta {
  double alpha = 1;
  double beta = 1;
};

inline namespace DIVOT_ABI {

/// What stands for a function of a divergence: factor·h(D) on p^escort and q^escort, normalised.
template <class L, class Function>
struct function_of {
  L inner;
  Function function;
  double factor = 1;
  double escort = 1;
};

template <class L>
inline constexpr bool is_composite<powered<L>> = true;
template <>
inline constexpr bool is_composite<renyi> = true;
template <>
inline constexpr bool is_composite<bhattacharyya> = true;
template <>
inline constexpr bool is_composite<sharma_mittal> = true;
template <>
inline constexpr bool is_composite<log_alpha_beta> = true;

inline void check_order(double order, char const* what, bool may_be_infinite) {
  if (!(order > 0) || (!may_be_infinite && std::isinf(order))) {
    fail(what, ": order is ", order, "; it must be positive", may_be_infinite ? "" : " and finite");
  }
}

template <class L>
function_of<L, power_function> as_function(powered<L> const& f) {
  if (!(f.exponent > 0) || !std::isfinite(f.exponent)) {
    fail("power: exponent is ", f.exponent, "; it must be positive and finite");
  }
  return {f.of, power_function(f.exponent)};
}
inline function_of<alpha, order_function> as_function(renyi const& f) {
  check_order(f.order, "renyi", true);
  // beyond 1e100 the order is as good as infinite, where the inner divergence is not asked
  double const order = f.order > 1e100 ? unbounded : f.order;
  return {{std::isinf(order) ? 2 : order}, {order, order, 1}};
}
inline function_of<alpha, order_function> as_function(bhattacharyya const&) {
  return {{.5}, {.5, .5, 1}, .5};
}
inline function_of<alpha, order_function> as_function(sharma_mittal const& f) {
  check_order(f.order, "sharma_mittal", false);
  check_finite(f.degree, "sharma_mittal", "degree");
  return {{f.order}, {f.order, f.order, f.degree}};
}
inline function_of<alpha, order_function> as_function(log_alpha_beta const& f) {
  check_finite(f.alpha, "log_alpha_beta", "alpha");
  check_finite(f.beta, "log_alpha_beta", "beta");
  double const lambda = f.alpha + f.beta;
  if (!(lambda > 0)) fail("log_alpha_beta: alpha + beta is ", lambda, "; it must be positive");
  // an order with an inverse, or the limit
  double const order = std::abs(f.alpha) < 1e-290 * lambda ? 0 : f.alpha / lambda;
  return {{order}, {order, 1 / (lambda * lambda), 1}, 1, lambda};
}

/// The same with p and q exchanged.
template <class F>
requires requires(F const& f) { as_function(f); }
auto as_function(reversed<F> const& r) {
  auto const f = as_function(r.of);
  auto const inner = reverse(f.inner);
  return function_of<std::remove_const_t<decltype(inner)>, order_function>{
      inner, f.function.reversed(), f.factor, f.escort};
}

/// A function of a divergence, row by row.
template <class L>
concept row_function = requires(L const& l) {
  as_function(l);
};

template <row_function F>
inline constexpr bool is_composite<reversed<F>> = true;
template <row_function F>
inline constexpr bool has_own_reverse<F> = true;

template <row_function F>
constexpr reversed<F> reverse(F const& f) {
  return {f};
}
template <row_function F>
constexpr F reverse(reversed<F> const& f) {
  return f.of;
}
template <class L>
constexpr auto reverse(powered<L> const& f) {
  auto const of = reverse(f.of);
  return powered<std::remove_const_t<decltype(of)>>{of, f.exponent};
}
constexpr bhattacharyya reverse(bhattacharyya const& f) { return f; }

/// D^r of a divergence, or of a sum of divergences with weights.
template <loss L>
constexpr powered<L> power(L const& d, double exponent) {
  return {d, exponent};
}

inline auto describe(renyi const&) {
  return description{"renyi",
                     "ln(Σ p^a q^(1−a))/(a − 1)",
                     {parameter_of<renyi>{&renyi::order, "order", "a > 0, inf included", 1e-3, 64}},
                     "kl at a = 1, max ln(p/q) at a = inf"};
}
inline auto describe(bhattacharyya const&) {
  return description<bhattacharyya>{"bhattacharyya", "−ln Σ √(pq)"};
}
inline auto describe(sharma_mittal const&) {
  return description{
      "sharma_mittal",
      "(S^((1−b)/(1−a)) − 1)/(b − 1), S = Σ p^a q^(1−a)",
      {parameter_of<sharma_mittal>{&sharma_mittal::order, "order", "a > 0", 1e-3, 64},
       parameter_of<sharma_mittal>{&sharma_mittal::degree, "degree", "b, any finite number", -8,
                                   8}},
      "renyi at b = 1"};
}
inline auto describe(log_alpha_beta const&) {
  return description{
      "log_alpha_beta",
      "ln Σp^λ/(βλ) + ln Σq^λ/(αλ) − ln Σp^α q^β/(αβ), λ = α + β, and its limits",
      {parameter_of<log_alpha_beta>{&log_alpha_beta::alpha, "alpha", "α", .01, 8},
       parameter_of<log_alpha_beta>{&log_alpha_beta::beta, "beta", "β, α + β > 0", .01, 8}},
      "the γ-divergence at (1, γ)"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
