// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/options.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace divot {

/// A matrix in a device's memory. A type of its own, so that host memory cannot be taken for it.
///
/// Element (i, j) stands at data[i * row_stride + j]: rows are contiguous, and begin anywhere.
template <class Storage>
struct device_view {
  Storage* data = nullptr;
  index rows = 0;
  index cols = 0;
  index row_stride = 0;

  constexpr device_view() = default;
  constexpr device_view(Storage* d, index r, index c) : data(d), rows(r), cols(c), row_stride(c) {}
  constexpr device_view(Storage* d, index r, index c, index row_step)
      : data(d), rows(r), cols(c), row_stride(row_step) {}
  /// What may be written may be read.
  template <class Other>
  requires(std::is_same_v<Other const, Storage> && !std::is_const_v<Other>) constexpr device_view(
      device_view<Other> const& x)  // NOLINT: the same view
      : data(x.data), rows(x.rows), cols(x.cols), row_stride(x.row_stride) {}
};

/// So many numbers in a device's memory, one a row.
template <class T>
struct device_span {
  T* data = nullptr;
  index size = 0;

  constexpr device_span() = default;
  constexpr device_span(T* d, index n) : data(d), size(n) {}
  /// What may be written may be read.
  template <class Other>
  requires(std::is_same_v<Other const, T> && !std::is_const_v<Other>) constexpr device_span(
      device_span<Other> const& x)  // NOLINT: the same span
      : data(x.data), size(x.size) {}

  constexpr bool empty() const { return data == nullptr; }
};

/// What rows were found to be while a device worked on them. All 0 to begin with (a memset will
/// do); calls add to it, and `device_check` reads it.
struct device_status {
  /// Rows with NaN, +inf, nothing but −inf, log-probabilities that do not sum to 1, or a label out
  /// of range, no top-k teacher, or a loss that not even double's limits tell. The combined loss is
  /// NaN then; what the rows themselves have is left as it was.
  unsigned long long bad_rows = 0;
  /// The bitwise complement of the first of them.
  unsigned long long first_bad_inverted = 0;
};

/// `batch` for rows in a device's memory: everything is optional; every span that is given has one
/// entry a row and lies in the device's memory, too.
struct device_batch {
  /// Combination of the rows' losses.
  divot::reduction reduction = divot::reduction::mean;
  /// Multiplies each row's loss and gradient.
  device_span<double const> weights = {};
  /// Upstream gradient of each row's loss: multiplies gradients only.
  device_span<double const> upstream = {};
  /// Rows with 0 are left out: not read, loss 0, gradient exactly 0.
  device_span<std::uint8_t const> mask = {};
  /// Labels of the rows for cross_entropy terms, beside a teacher that is not `labels`.
  device_span<std::int64_t const> labels = {};
  /// Divides the mean instead of the number of valid rows. 0: none.
  double normaliser = 0;
  /// Only the first so many classes of teacher and student count; the gradient of the rest is 0.
  /// 0: all.
  index valid_classes = 0;
  /// The same, a number a row.
  device_span<index const> valid_classes_per_row = {};
  /// Temperature of each row, in place of both wrappers' temperatures.
  device_span<double const> temperatures = {};
  /// The combined loss goes here.
  double* loss = nullptr;
  /// Each row's loss, times its weight, not divided; 0 for masked rows.
  device_span<double> per_row = {};
  /// What is found of bad rows.
  device_status* status = nullptr;
  /// Memory to work in, `device_workspace_bytes` of it at least and aligned to 256; without it
  /// calls take some from the device's pool, in the order of the stream.
  device_span<std::byte> workspace = {};
};

// What a batch says of a row, as of `batch`.

DIVOT_HD inline bool is_valid(device_batch const& b, index row) {
  return b.mask.empty() || b.mask.data[row] != 0;
}
DIVOT_HD inline double weight_of(device_batch const& b, index row) {
  return b.weights.empty() ? 1 : b.weights.data[row];
}
DIVOT_HD inline double gradient_factor(device_batch const& b, index row, double mean) {
  return mean * weight_of(b, row) * (b.upstream.empty() ? 1 : b.upstream.data[row]);
}
DIVOT_HD inline double temperature_of(device_batch const& b, index row, double common) {
  return b.temperatures.empty() ? common : b.temperatures.data[row];
}
/// Never more than `classes`, what the whole call has.
DIVOT_HD inline index valid_classes_of(device_batch const& b, index row, index classes) {
  if (b.valid_classes_per_row.empty()) return classes;
  index const n = b.valid_classes_per_row.data[row];
  return n < classes ? n : classes;
}

/// Stands for a gradient on a device that is not wanted.
struct nowhere {};

/// Where gradients go on a device: device_views, or nowhere. Both are written, or with `accumulate`
/// added, `scale` times; each may be where its own logits are.
///
///   device_gradients{student_view}, device_gradients{student_view, teacher_view},
///   device_gradients{nowhere{}, teacher_view}
template <class Student = nowhere, class Teacher = nowhere>
struct device_gradients {
  Student student = {};
  Teacher teacher = {};
  bool accumulate = false;
  double scale = 1;
};
template <class Student>
device_gradients(Student) -> device_gradients<Student>;
template <class Student, class Teacher>
device_gradients(Student, Teacher) -> device_gradients<Student, Teacher>;
template <class Student, class Teacher>
device_gradients(Student, Teacher, bool, double = 1) -> device_gradients<Student, Teacher>;

}  // namespace divot
