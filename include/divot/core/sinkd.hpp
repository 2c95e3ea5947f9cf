// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

namespace divot {

/// What a transport plan between the samples of a batch adds up to.
enum class mass {
  one_per_sample,  ///< every sample has mass 1, the plan the mass of the batch: as published
  probability      ///< every sample has mass 1/(number of samples), the plan mass 1
};

/// What of a transport cost ⟨P, C⟩ a gradient follows.
enum class route {
  unrolled,      ///< C and every sweep that made P: exact for what so many sweeps compute
  plan_detached  ///< C alone, P held fixed. NOT the gradient of the loss: in distillation off by a
                 ///< hundredth to two thirds of it; for comparison with code that does this
};

/// SinKD: what it costs to transport the batch's student distributions onto the teacher's.
///
///   loss = Σ_ij P_ij C_ij,  C_ij = ‖softmax(z_i/T) − softmax(y_j/T)‖₁,
///   P: exp(−C/ε), its rows (students) and then its columns (teachers) divided by their sums and
///   multiplied by each sample's mass, `sweeps` times
///
/// A loss between rows: every row's part Σ_j P_ij C_ij hangs on all of them.
///
/// Teacher   rows × classes: logits, probabilities, log_probabilities or labels; only logits are
///           divided by T
/// Student   rows × classes: logits. The wrappers' temperatures do not count
/// Batch     a masked row is outside the problem; weights multiply rows' parts, not their mass.
///           With mass::probability the value is a mean already, and only `sum` is allowed
/// Domain    T > 0; ε ≥ 1e-12, in units of the cost, which is at most 2; at least one sweep
/// Range     [0, 2 rows]; not 0 where student and teacher agree
/// Gradient  with respect to the student's and the teacher's logits, by `gradient`
/// Sums      0.1 * cross_entropy{} + 0.9 * at(4, kl{}) + 0.8 * sinkd{}: worked out before the losses
///           of single rows, which add its gradient to theirs as they write it. at(T, …) does not
///           go around it, since it has a temperature; what it has not (top-k and mixed teachers,
///           transforms, diagnostics, derivatives of temperatures) no sum with it has
/// Memory    rows × classes of both sides, and rows × (3 rows + 4 sweeps) of double; in a sum
///           rows × classes of each gradient, too
/// Ref       Cui et al. (2024), Sinkhorn Distance Minimization for Knowledge Distillation, COLING;
///           the published default also multiplies by 0.001, and by 0.8 in the sum of losses
struct sinkd {
  double temperature = 2;
  double epsilon = 0.1;
  int sweeps = 20;
  divot::mass mass = divot::mass::one_per_sample;
  route gradient = route::unrolled;
};

}  // namespace divot
