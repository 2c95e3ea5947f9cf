// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/softmax_side.hpp>

#include <cstddef>

namespace divot {
inline namespace DIVOT_ABI {

/// Partial sums of one block in the divergence sweep.
template <class Row>
struct sweep_block {
  Row loss;    // Σ d
  Row weight;  // Σ w̃, relative to the anchor
};

/// One row (or one pack of rows) of work: operands, scratch, targets, and what came of it.
///
/// All arrays have `classes` elements, scratch being padded to whole packs; a team that puts rows
/// across lanes sees each class as a pack. Targets may be the operands' own memory.
template <class Team>
struct row_task {
  using T = typename Team::scalar;
  using row = typename Team::row;
  using position = typename Team::position;

  index classes = 0;
  T const* teacher = nullptr;
  T const* student = nullptr;
  T const* next_teacher = nullptr;  // memory of the rows after these, of any type; or null
  T const* next_student = nullptr;
  bool teacher_normalised = false;  // log-probabilities, not logits
  bool student_normalised = false;
  row teacher_inverse_temperature = row(1);
  row student_inverse_temperature = row(1);
  row teacher_inverse_low = row(0);  // what the row's number type rounds 1/T by
  row student_inverse_low = row(0);
  double teacher_tolerance = 0;  // how far log-probabilities may sum from 1
  double student_tolerance = 0;
  bool has_label = false;
  position label{};
  double label_smoothing = 0;

  // scratch
  T* teacher_exponentials = nullptr;
  T* student_exponentials = nullptr;
  T* student_weights = nullptr;  // w̃
  T* teacher_weights = nullptr;
  T* student_partial = nullptr;  // gradient of the groups done so far; only with several groups
  T* teacher_partial = nullptr;
  softmax_block<row>* teacher_blocks = nullptr;
  softmax_block<row>* student_blocks = nullptr;
  sweep_block<row>* sweep_blocks = nullptr;
  std::byte* reduced = nullptr;  // memory of a row of fewer classes that stands for this one

  // targets
  T* student_gradient = nullptr;
  T* teacher_gradient = nullptr;
  row student_scale = row(1);  // multiplies the gradient as written
  row teacher_scale = row(1);
  bool student_add = false;  // add to what is there
  bool teacher_add = false;
  bool student_stream = false;  // write past the caches
  bool teacher_stream = false;
  bool want_temperature = false;

  // outcome
  row loss = row(0);
  row student_temperature_gradient = row(0);  // of the scaled loss
  row teacher_temperature_gradient = row(0);
  bool bad = false;     // NaN, +inf or nothing but −inf in an operand: nothing was written
  bool beyond = false;  // a sum left the type's range: nothing was written
};

/// The sums of all blocks, in block order.
template <class Team>
DIVOT_HD sweep_block<typename Team::row> add_blocks(row_task<Team> const& task) {
  using row = typename Team::row;
  sweep_block<row> total{row(0), row(0)};
  for (index b = 0; b < block_count<Team>(task.classes); ++b) {
    total.loss = row(total.loss + task.sweep_blocks[b].loss);
    total.weight = row(total.weight + task.sweep_blocks[b].weight);
  }
  return total;
}

}  // namespace DIVOT_ABI
}  // namespace divot
