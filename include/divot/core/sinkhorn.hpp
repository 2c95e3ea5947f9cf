// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <limits>
#include <span>
#include <type_traits>

namespace divot {

/// How a transport problem's solution ended.
enum class transport_status {
  converged,         ///< the marginals are within the tolerance
  sweeps_done,       ///< as many sweeps as were asked for, whatever the marginals
  max_sweeps,        ///< not within the tolerance after as many as were allowed
  stalled_roundoff,  ///< no nearer than this: the tolerance is below what the numbers can tell
  empty,             ///< no rows, no columns, or no mass
  // of a problem in a batch only; one on its own is refused with divot::error
  bad_input,     ///< costs or masses that are not finite, negative masses, a wrong number of them
  mass_mismatch  ///< the masses of the rows and of the columns do not add up to the same
};

/// What the sweeps worked on.
enum class transport_domain {
  kernel,            ///< exp(−C/ε), and factors of its rows and columns
  absorbing_kernel,  ///< exp((f⊕g − C)/ε): the factors are taken into the potentials at times
  logarithms         ///< the potentials: an exponential an entry and sweep, no memory for a kernel
};

/// How a transport problem is solved.
///
/// Domain  epsilon > 0, in units of the cost; tolerance ≥ 0; penalties > 0
struct sinkhorn_options {
  double epsilon = 0.1;
  /// Of Σ|P1 − a| + Σ|Pᵀ1 − b|, as a fraction of the mass. 0: 1e-5 for costs in float or less, 1e-9
  /// for others.
  double tolerance = 0;
  /// So many sweeps, no more and no fewer, rows first and nothing besides. 0: until the tolerance.
  int sweeps = 0;
  int max_sweeps = 10000;
  /// At most so many of Newton's steps on the semi-dual, where sweeps converge slowly; 0: none.
  int newton_steps = 100;
  /// Sweeps that converge slowly may go further than their own steps; see relaxation.
  bool over_relaxation = true;
  /// ρ of a marginal that may be missed at the price of ρ KL(P1 ‖ a), and of ρ KL(Pᵀ1 ‖ b). The two
  /// sides' masses may then differ. +∞: kept exactly.
  double row_penalty = std::numeric_limits<double>::infinity();
  double column_penalty = std::numeric_limits<double>::infinity();
  /// The columns' potentials to begin from (a similar problem's column_potentials()). Empty: 0; so
  /// is one that is not finite, or larger than any solution's.
  std::span<double const> start = {};
};

/// What a transport problem's value is.
enum class transport_objective {
  entropic,  ///< ⟨P, C⟩ + ε KL(P ‖ a⊗b) and the marginals' penalties, which P minimises
  transport_cost  ///< ⟨P, C⟩ of that P
};

/// What of a transport problem's value a gradient follows.
///
///                    unrolled    implicit    envelope    plan_detached
///   sweeps ≥ 1       exact       refused     refused     C alone
///   sweeps = 0       refused     exact       of the entropic value exact, else refused; C alone
///
/// Of sinkd the envelope also needs rows of equal weight.
enum class route {
  unrolled,      ///< C and every sweep that made P: exact for what so many sweeps compute
  implicit,      ///< C and the equations that the converged P solves
  envelope,      ///< C alone, since the converged P minimises the entropic value
  plan_detached  ///< C alone, P held fixed. NOT the gradient of the transport cost: in distillation
                 ///< off by a hundredth to two thirds of it; for comparison with code that does
                 ///< this
};

inline namespace DIVOT_ABI {

/// Whether numbers of this type are rounded more than double's.
template <class T>
inline constexpr bool is_narrow = !std::is_integral_v<T> && sizeof(T) < sizeof(double);

/// By what part the two sides' masses may differ in what they add up to.
template <class A, class B>
inline constexpr double mass_gap = is_narrow<A> || is_narrow<B> ? 1e-5 : 1e-9;

}  // namespace DIVOT_ABI
}  // namespace divot
