// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

namespace divot {

/// How a transport problem's solution ended.
enum class transport_status {
  converged,         ///< the marginals are within the tolerance
  sweeps_done,       ///< as many sweeps as were asked for, whatever the marginals
  max_sweeps,        ///< not within the tolerance after as many as were allowed
  stalled_roundoff,  ///< no nearer than this: the tolerance is below what the numbers can tell
  empty              ///< no rows, no columns, or no mass
};

/// How a transport problem is solved.
///
/// Domain  epsilon > 0, in units of the cost; tolerance ≥ 0
struct sinkhorn_options {
  double epsilon = 0.1;
  /// Of Σ|P1 − a| + Σ|Pᵀ1 − b|, as a fraction of the mass. 0: 1e-5 for costs in float or less, 1e-9
  /// for others.
  double tolerance = 0;
  /// So many sweeps, no more and no fewer, rows first and nothing besides. 0: until the tolerance.
  int sweeps = 0;
  int max_sweeps = 10000;
  /// Newton's steps on the semi-dual, where sweeps converge slowly; 0: none.
  int newton_steps = 100;
};

/// What a transport problem's value is.
enum class transport_objective {
  entropic,       ///< ⟨P, C⟩ + ε KL(P ‖ a⊗b), which P minimises
  transport_cost  ///< ⟨P, C⟩ of that P
};

}  // namespace divot
