// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>

#include <span>

namespace divot {

/// What teacher (p) and student (q) are like in a row, at the call's temperatures.
struct row_diagnostics {
  double teacher_entropy = 0;   ///< −Σ p log p, in nats
  double student_entropy = 0;   ///< −Σ q log q
  double cross_entropy = 0;     ///< −Σ p log q; +inf if the student lacks a class of the teacher
  double agreement = 0;         ///< 1 if some class is the most probable one of both, else 0
  double teacher_on_label = 0;  ///< p of the row's label; 0 without labels
  double student_on_label = 0;  ///< q of the row's label
  double teacher_head = 0;      ///< Σ p over the head, see diagnostics::head
  double teacher_tail = 0;      ///< Σ p over all other classes, summed by itself
  double student_head = 0;      ///< Σ q over the teacher's head
  double student_tail = 0;      ///< Σ q over all other classes
};

/// What a call tells besides the loss, from the same read of the logits: set what is wanted, pass
/// it as gradients().diagnostics(d) or to `diagnose`, and find the answers in it.
///
/// S is the storage of the matrices, each rows × classes (`view` makes one of an Eigen matrix);
/// those without memory are not computed. Masked rows are 0 in all of them.
///
///   log_ratio   −(g_k − Σ_i q_i g_i)/T with g the student's gradient as it is written and z/T the
///               softmax's argument: times η, the change of log q_k in a step of −η g, to first
///               order. Needs the student's gradient and logits.
///   hardness    |p_k^α − q_k^α|/|α|, |log p_k − log q_k| at α = 0: how an α-β divergence weighs
///               classes by what is missing
///   confidence  q_k^β: how it weighs them by the student's own belief. The gradient of
///               alpha_beta{α, β} is bounded by the product of both,
///               |g_k| ≤ [confidence_k·hardness_k + q_k Σ_j confidence_j·hardness_j]/T
///
/// Ref  ABKD (2025), ICML (concentration of hardness and confidence)
template <class S = float>
struct diagnostics {
  /// The teacher's head: that many most probable classes, and those as probable as the last of
  /// them. 0: nobody asks, and the four masses are 0.
  index head = 0;
  /// Each row's numbers, one entry a row, if given.
  std::span<row_diagnostics> per_row = {};
  matrix_ref<S> log_ratio = {};
  matrix_ref<S> hardness = {};
  matrix_ref<S> confidence = {};
  double alpha = 1;  ///< of `hardness`
  double beta = 0;   ///< of `confidence`

  /// Written: means over the valid rows, not weighted. The rate of agreement is one of them.
  row_diagnostics mean = {};
};

}  // namespace divot
