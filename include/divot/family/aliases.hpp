// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/family/divergence/chi_squared.hpp>
#include <divot/family/divergence/hellinger.hpp>
#include <divot/family/divergence/jensen_shannon.hpp>
#include <divot/family/divergence/skew_js.hpp>
#include <divot/family/divergence/skew_kl.hpp>
#include <divot/family/function_of.hpp>

/// Other names of divot's divergences, each with the parameter and the factor it was published
/// with.
namespace divot {
inline namespace DIVOT_ABI {

/// Topsøe's divergence: 2·JS.   Ref Topsøe (2000), IEEE Trans. Inf. Theory 46(4)
inline auto topsoe() { return 2 * jensen_shannon{}; }
/// Capacitory discrimination: 2·JS.   Ref Topsøe (2000)
inline auto capacitory() { return topsoe(); }
/// f-GAN's "GAN" without its constant −ln 4, and its "Jensen–Shannon": 2·JS.
/// Ref Nowozin, Cseke and Tomioka (2016), f-GAN, NeurIPS, table 1
inline auto gan() { return topsoe(); }
/// Lin's K: KL(p‖(p + q)/2).   Ref Lin (1991), IEEE Trans. Inf. Theory 37(1)
constexpr skew_kl lin_k() { return {.5}; }
/// JS_π/(π(1 − π)), which is kl as π → 0 and reverse_kl as π → 1.
inline auto generalised_js(double teacher_weight) {
  return skew_js{teacher_weight} / (teacher_weight * (1 - teacher_weight));
}
/// DistiLLM's skew KL, KL(p‖λp + (1 − λ)q).   Ref Ko et al. (2024), ICML
constexpr skew_kl distillm_skew_kl(double lambda = .1) { return {lambda}; }
/// DistiLLM's skew reverse KL, KL(q‖λq + (1 − λ)p).
constexpr reversed<skew_kl> distillm_skew_reverse_kl(double lambda = .1) { return {{lambda}}; }

/// χ²(p‖q) + χ²(q‖p), the symmetric χ².
inline auto symmetric_chi_squared() { return symmetrized(pearson{}); }

/// Cressie and Read's power divergence, 2/(λ(λ + 1)) Σ p((p/q)^λ − 1): twice alpha at λ + 1.
/// Ref Cressie and Read (1984), J. R. Stat. Soc. B 46(3), 440–464
inline auto cressie_read(double lambda) { return 2 * alpha{lambda + 1}; }
/// Tsallis's relative entropy of order a, (Σ p^a q^{1−a} − 1)/(a − 1).
/// Ref Tsallis (1998), Phys. Rev. E 58(2), 1442–1445
inline auto tsallis(double order) { return order * alpha{order}; }
/// The Hellinger divergence of order a: the same.   Ref Liese and Vajda (2006)
inline auto hellinger_of_order(double order) { return tsallis(order); }
/// √(½ Σ (√p − √q)²), a distance in [0, 1].
inline auto hellinger_distance() { return power(.5 * squared_hellinger{}, .5); }
/// √JS, a distance.   Ref Endres and Schindelin (2003), IEEE Trans. Inf. Theory 49(7)
inline auto jensen_shannon_distance() { return power(jensen_shannon{}, .5); }

/// Σ (p − q)², the Bregman divergence of x².
inline auto squared_euclidean() { return 2 * alpha_beta{1, 1}; }
/// Σ p ln(p/q) − p + q, the Bregman divergence of x ln x.
constexpr kl generalised_kl() { return {}; }
/// Σ p/q − ln(p/q) − 1, the Bregman divergence of −ln x.
/// Ref Itakura and Saito (1968), Proc. 6th ICA, C-17–C-20
constexpr alpha_beta itakura_saito() { return {1, -1}; }
/// The β-divergence, Σ (p^{β+1} − (β + 1)p q^β + β q^{β+1})/(β(β + 1)).
/// Ref Cichocki, Cruces and Amari (2011)
constexpr alpha_beta beta_divergence(double beta) { return {1, beta}; }
/// Basu's density power divergence, Σ q^{1+β} − (1 + 1/β) p q^β + p^{1+β}/β: (1 + β) times that.
/// β > −1.   Ref Basu, Harris, Hjort and Jones (1998), Biometrika 85(3), 549–559
inline auto density_power(double beta) {
  if (!(beta > -1)) fail("density_power: beta is ", beta, "; it must be greater than -1");
  return (1 + beta) * alpha_beta{1, beta};
}
/// The γ-divergence.   Ref Fujisawa and Eguchi (2008), J. Multivar. Anal. 99(9), 2053–2081
constexpr log_alpha_beta gamma_divergence(double gamma) { return {1, gamma}; }

}  // namespace DIVOT_ABI
}  // namespace divot
