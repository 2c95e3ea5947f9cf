// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkhorn.hpp>
#include <divot/core/types.hpp>

namespace divot {

/// What a transport plan between the samples of a batch adds up to.
enum class mass {
  one_per_sample,  ///< every sample has mass 1, the plan the mass of the batch: as published
  probability      ///< every sample has mass 1/(number of samples), the plan mass 1
};

/// SinKD: what it costs to transport the batch's student distributions onto the teacher's.
///
///   loss = Σ_ij P_ij C_ij,  C_ij = ‖softmax(z_i/T) − softmax(y_j/T)‖₁,
///   P: exp(−C/ε), its rows (students) and then its columns (teachers) divided by their sums and
///   multiplied by each sample's mass, `sweeps` times; 0: until the sums are within `tolerance`
///
/// A loss between rows: every row's part Σ_j P_ij C_ij hangs on all of them.
///
/// Costs     others are with_cost(sinkd{…}, ground)
/// Objective transport_cost, or entropic: Σ_ij P C + ε(P ln(P/(ab)) − P + ab), a and b being the
///           samples' masses; a row's part is its sum over j
/// Debiased  OT(student, teacher) − ½ OT(student, student) − ½ OT(teacher, teacher), OT being the
///           entropic value: 0, and its gradient too, where both sides agree. Needs sweeps = 0
/// Sequences rows_per_problem = L: rows come in sequences of L, and each is a problem of its own,
///           to the bit what a call on it alone gives; the value is the sum of theirs, divided by
///           all valid rows under the mean. 0: the whole batch is one problem
/// Teacher   rows × classes: logits, probabilities, log_probabilities or labels; only logits are
///           divided by T
/// Student   rows × classes: logits. The wrappers' temperatures do not count
/// Batch     a masked row is outside the problem; weights multiply rows' parts, not their mass.
///           With mass::probability a problem's value is a mean already: only `sum` is allowed
/// Domain    T > 0; ε ≥ 1e-12, in units of the cost, which is at most 2; sweeps ≥ 0; tolerance ≥ 0,
///           a fraction of the mass (0: 1e-9)
/// Range     [0, 2 rows]; not 0 where student and teacher agree
/// Gradient  with respect to the student's and the teacher's logits, by `gradient`; see route
/// Errors    divot::error for what cannot be combined, and with sweeps = 0 for a problem that is
/// not
///           solved to the tolerance; nothing is written then
/// Sums      0.1 * cross_entropy{} + 0.9 * at(4, kl{}) + 0.8 * sinkd{}: worked out before the
///           losses of single rows, which add its gradient to theirs as they write it. at(T, …)
///           does not go around it, since it has a temperature; what it has not (top-k and mixed
///           teachers, transforms, diagnostics, derivatives of temperatures) no sum with it has
/// Memory    rows × classes of both sides, and rows × (3 rows + 4 sweeps) of double; in a sum
///           rows × classes of each gradient, too. With sequences rows × L for each gradient's
///           slope, and of the others for each thread. With sweeps = 0 the solver allocates its own
/// Ref       Cui et al. (2024), Sinkhorn Distance Minimization for Knowledge Distillation, COLING;
///           the published default also multiplies by 0.001, and by 0.8 in the sum of losses.
///           Debiased: Feydy et al. (2019), AISTATS
struct sinkd {
  double temperature = 2;
  double epsilon = 0.1;
  int sweeps = 20;
  divot::mass mass = divot::mass::one_per_sample;
  transport_objective objective = transport_objective::transport_cost;
  bool debiased = false;
  route gradient = route::unrolled;
  index rows_per_problem = 0;
  double tolerance = 0;
};

/// SinKD with another cost between rows; see with_cost.
template <class Ground>
struct sinkd_with_cost {
  sinkd what;
  Ground ground;
};

}  // namespace divot
