// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/family/description.hpp>
#include <divot/family/divergence/alpha_beta_row.hpp>
#include <divot/family/generator.hpp>

namespace divot {

/// The α-β divergence of Cichocki, Cruces and Amari, the whole plane in one expression.
///
///   D(p, q) = Σ_k q_k^λ ell_k² exp[0, α ell_k, λ ell_k],  ell = ln(p/q),  λ = α + β
///
/// with exp[·,·,·] the second divided difference of exp: for α, β, λ ≠ 0 this is
/// −1/(αβ) Σ (p^α q^β − (α/λ) p^λ − (β/λ) q^λ), and it has the right limit at every zero.
/// (1,0) is KL(p‖q), (0,1) KL(q‖p), (½,½) twice the squared Hellinger divergence.
///
/// Domain    α, β, α + β finite; |α + β − 1| ≤ 4e-16 counts as α + β = 1
/// Limits    p_k = 0 adds q_k^λ/(αλ) if α, λ > 0, else +inf; q_k = 0 the mirror image in β
/// Range     [0, ∞)
/// Gradient  with respect to logits: (w_k − q_k Σw)/T, w = −q^λ expm1(α ell)/α
/// Ref       Cichocki, Cruces and Amari (2011), Entropy 13(1), 134–170; ABKD (2025), ICML
struct alpha_beta {
  double alpha = 0.5;
  double beta = 0.5;
};

/// The α-divergence (Amari, Cressie–Read's D_a), f(u) = (u^α − 1 − α(u − 1))/(α(α − 1)).
///
/// α → 1 is KL(p‖q), α → 0 is KL(q‖p): the line alpha_beta{α, 1 − α}.
/// Ref       Amari (2009), IEEE Trans. Inf. Theory 55(11), 4925–4931
struct alpha {
  double alpha = 0.5;  // NOLINT: named as in the literature
};

inline namespace DIVOT_ABI {

inline bound_alpha_beta bound_of(alpha_beta const& d) {
  check_finite(d.alpha, "alpha_beta", "alpha");
  check_finite(d.beta, "alpha_beta", "beta");
  check_finite(d.alpha + d.beta, "alpha_beta", "alpha + beta");
  return {d.alpha, d.beta};
}

inline bound_alpha_beta bound_of(alpha const& d) {
  check_finite(d.alpha, "alpha", "alpha");
  return {d.alpha, 1 - d.alpha};
}

struct alpha_generator {
  double a;
  double at_zero = a > 0 ? 1 / a : unbounded, slope_at_infinity = a < 1 ? 1 / (1 - a) : unbounded;
  template <class T>
  DIVOT_HD T f(T const& u) const {
    using std::log;
    using std::pow;
    if (a == 1) return T(u * log(u) - u + T(1));
    if (a == 0) return T(u - T(1) - log(u));
    return T((pow(u, a) - T(1) - T(a) * (u - T(1))) / T(a * (a - 1)));
  }
  template <class T>
  DIVOT_HD T slope(T const& u) const {
    using std::log;
    using std::pow;
    if (a == 1) return T(log(u));
    return T((pow(u, a - 1) - T(1)) / T(a - 1));
  }
  template <class T>
  DIVOT_HD T curvature(T const& u) const {
    using std::pow;
    return T(pow(u, a - 2));
  }
  template <class T>
  DIVOT_HD T closed_conjugate(T const& t) const {
    using std::exp;
    using std::log;
    using std::pow;
    if (a == 1) return T(exp(t) - T(1));
    if (a == 0) return T(-log(T(T(1) - t)));
    return T((pow(T(T(1) + T(a - 1) * t), a / (a - 1)) - T(1)) / T(a));
  }
};
inline alpha_generator generator(alpha const& d) { return {d.alpha}; }

inline auto describe(alpha const&) {
  return description{
      "alpha",
      "(Σ p^α q^(1−α) − 1)/(α(α − 1))",
      {parameter_of<alpha>{&alpha::alpha, "alpha", "α, any finite number", -1e3, 1e3}},
      "Amari, Cressie and Read; kl at α = 1, reverse_kl at α = 0"};
}
inline auto describe(alpha_beta const&) {
  return description{
      "alpha_beta",
      "−1/(αβ) Σ (p^α q^β − (α p^λ + β q^λ)/λ), λ = α + β, and its limits",
      {parameter_of<alpha_beta>{&alpha_beta::alpha, "alpha", "α, any finite number", -1e3, 1e3},
       parameter_of<alpha_beta>{&alpha_beta::beta, "beta", "β, any finite number", -1e3, 1e3}},
      "the whole plane, its limits included; ABKD"};
}

}  // namespace DIVOT_ABI
}  // namespace divot
