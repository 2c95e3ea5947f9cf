// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_operands.hpp>
#include <divot/exec/device_transforms.hpp>
#include <divot/family/loss_facts.hpp>

#include <cstdint>

namespace divot {
inline namespace DIVOT_ABI {

/// Passes over a call's rows at most: on float, on double, and on double with exact limits.
inline constexpr int device_passes_most = 3;

/// What became of a row in a pass over it.
enum class row_state : std::uint8_t { done, beyond, bad };

/// A call on a device, in the form that its kernels take: plain numbers and pointers.
template <class TeacherOperand, class StudentOperand, class StudentOut, class TeacherOut>
struct device_call {
  using teacher_storage = typename TeacherOperand::storage;
  using student_storage = typename StudentOperand::storage;
  TeacherOperand teacher;
  StudentOperand student;
  operand_kind teacher_kind, student_kind;
  device_view<StudentOut> student_to;
  device_view<TeacherOut> teacher_to;
  bool accumulate;
  double scale;
  device_batch options;
  loss_facts facts;
  index rows, classes;
  double label_smoothing;  // that of the teacher's labels
  double const* mean;      // what the sum over rows is multiplied by
  double* losses;          // a row each: its loss times its weight
  row_state* states;
  unsigned* left;  // how many rows each pass has left

  DIVOT_HD std::int64_t const* labels() const {
    return teacher_kind == operand_kind::labels ? teacher.y.data : options.labels.data;
  }

  /// Arrays that the gradients' way back through transforms takes.
  static constexpr index student_pull_rows =
      pull_rows_of(static_cast<typename StudentOperand::transform_list*>(nullptr));
  static constexpr index teacher_pull_rows =
      pull_rows_of(static_cast<typename TeacherOperand::transform_list*>(nullptr));
};

/// Which arrays a row needs while it is worked on, each with room for its classes.
struct device_arrays {
  bool teacher = false;          // logits and exponentials
  bool student_weights = false;  // of their own: else over the teacher's exponentials
  bool teacher_weights = false;
  bool student_partial = false, teacher_partial = false;
  int pull_rows = 0;  // of any kind, beside those that gradients come to stand in

  DIVOT_HD int gradients() const { return 1 + teacher; }
  DIVOT_HD int count() const {
    int const working =
        1 + teacher + student_weights + teacher_weights + student_partial + teacher_partial;
    return gradients() + (working < pull_rows ? pull_rows : working);
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
