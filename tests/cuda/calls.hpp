// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What tests that run on a device begin with.

#include <cuda/device.hpp>
#include <parity/grid.hpp>

#include <cstddef>
#include <cstdio>

namespace device_test {

/// Says so where there is none.
inline bool no_device() {
  static bool const there = [] {
    bool const yes = has_device();
    if (!yes) std::puts("skipped: no GPU");
    return yes;
  }();
  return !there;
}

/// A call on the problem's logits, whose losses of rows and both gradients go to `out`.
template <class T, class Outcome>
parity::call<T> call_of(parity::problem<T> const& p, Outcome& out, divot::batch const& options) {
  out.per_row.assign(static_cast<std::size_t>(p.rows), -1);
  out.student.assign(p.student.size(), T(0));
  out.teacher.assign(p.student.size(), T(0));
  parity::call<T> c{{p.teacher.data(), p.rows, p.cols}, {p.student.data(), p.rows, p.cols}};
  c.student_gradient = {out.student.data(), p.rows, p.cols};
  c.teacher_gradient = {out.teacher.data(), p.rows, p.cols};
  c.teacher_temperature = p.teacher_temperature;
  c.student_temperature = p.student_temperature;
  c.options = options;
  c.options.per_row = out.per_row;
  return c;
}

}  // namespace device_test
