// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/unpack.hpp>
#include <divot/exec/device_row.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace divot {
inline namespace DIVOT_ABI {

template <class T>
void check_span(device_span<T> const& x, index rows, char const* name) {
  if (!x.empty() && x.size != rows) {
    fail("device_batch::", name, " has ", x.size, " entries for ", rows, " rows");
  }
}
template <class Storage>
void check_view(device_view<Storage> const& x, char const* who) {
  if (x.rows < 0 || x.cols < 0) fail(who, " has ", x.rows, " rows and ", x.cols, " columns");
  if (x.data == nullptr && x.rows * x.cols > 0) fail(who, " is a null pointer");
  if (x.rows > 1 && x.row_stride < x.cols) {
    fail(who, "'s rows are ", x.row_stride, " apart and have ", x.cols, " columns");
  }
}
template <class Storage>
void check_gradient(device_view<Storage> const& g, index rows, index cols, char const* who) {
  check_view(g, who);
  if (g.rows != rows || g.cols != cols) {
    fail(who, " is ", g.rows, " x ", g.cols, "; its logits are ", rows, " x ", cols);
  }
}

/// The bytes that a view reaches over.
struct device_extent {
  std::uintptr_t begin = 0, end = 0, step = 0;
};
template <class Storage>
device_extent extent_of(device_view<Storage> const& x) {
  if (x.rows == 0 || x.cols == 0) return {};
  auto const begin = reinterpret_cast<std::uintptr_t>(x.data);
  auto const numbers = static_cast<std::uintptr_t>((x.rows - 1) * x.row_stride + x.cols);
  return {begin, begin + numbers * sizeof(Storage),
          static_cast<std::uintptr_t>(x.row_stride) * sizeof(Storage)};
}
/// A gradient may be where its logits are, exactly; anything else must lie apart.
inline void check_apart(device_extent const& gradient, device_extent const& other, bool own,
                        char const* what) {
  bool const meet = gradient.begin < other.end && other.begin < gradient.end;
  bool const same =
      gradient.begin == other.begin && gradient.end == other.end && gradient.step == other.step;
  if (meet && !(own && same)) fail(what, " overlap");
}

inline void check_device_temperature(double t, char const* who) {
  if (!(t > 0 && std::isfinite(t))) {
    fail("the temperature of ", who, " is ", t, "; it must be positive and finite");
  }
}

/// The valid classes of a call, of so many; and what else a batch says of rows, whatever is done
/// with them.
inline index settle_device_classes(device_batch const& options, index rows, index classes) {
  if (options.valid_classes < 0 || options.valid_classes > classes) {
    fail("device_batch::valid_classes is ", options.valid_classes, "; there are ", classes);
  }
  index const valid = options.valid_classes > 0 ? options.valid_classes : classes;
  if (rows > 0 && valid == 0) fail("there are ", rows, " rows and no classes");
  check_span(options.mask, rows, "mask");
  check_span(options.valid_classes_per_row, rows, "valid_classes_per_row");
  check_span(options.temperatures, rows, "temperatures");
  return valid;
}

/// A top-k teacher, but for what its rows hold.
template <class Call>
void check_device_top_k(Call const& call) {
  auto const& of = call.teacher;
  check_view(of.x, "top_k's log-probabilities");
  check_view(of.indices, "top_k's indices");
  if (of.indices.rows != of.x.rows || of.indices.cols != of.x.cols) {
    fail("top_k: the indices are ", of.indices.rows, "×", of.indices.cols,
         ", the log-probabilities ", of.x.rows, "×", of.x.cols, "; they must have the same shape");
  }
  if (of.x.rows != call.rows) {
    fail("the teacher has ", of.x.rows, " rows, the student ", call.rows);
  }
  if (!of.log_tail_mass.empty() && of.log_tail_mass.size != call.rows) {
    fail("top_k: there are ", of.log_tail_mass.size, " log tail masses for the student's ",
         call.rows, " rows");
  }
  if (of.tail == tail::bucket) {
    if (call.facts.has_labels || call.facts.z_weight != 0) {
      fail(
          "top_k: on a device tail::bucket is for divergences: cross_entropy and z_loss look at "
          "all "
          "classes and need a call of their own");
    }
    if (call.student_kind != operand_kind::logits) {
      fail("top_k: on a device tail::bucket takes the student's logits");
    }
  }
  constexpr char const* why =
      "a top-k teacher cannot be re-tempered, its other classes are not there: pass "
      "log-probabilities taken at that temperature, and logits(student, T)";
  if (call.facts.tempers_teacher) fail("at(T, …): ", why);
  if (!call.options.temperatures.empty()) fail("device_batch::temperatures: ", why);
}

inline void check_device_transform(softcap_transform const& f, index, index, char const* who) {
  check_cap(f.cap, who);
}
inline void check_device_transform(standardise_transform, index, index, char const*) {}
template <class B>
void check_device_transform(bias_transform<device_span<B const>> const& f, index, index cols,
                            char const* who) {
  if (f.b.size != cols) fail(who, ": the bias has ", f.b.size, " entries for ", cols, " columns");
  if (f.b.data == nullptr && cols > 0) fail(who, ": the bias is a null pointer");
}
inline void check_device_transform(mask_transform<device_span<std::uint8_t const>> const& f, index,
                                   index cols, char const* who) {
  if (f.keep.size != cols) {
    fail(who, ": the mask has ", f.keep.size, " entries for ", cols, " columns");
  }
  if (f.keep.data == nullptr && cols > 0) fail(who, ": the mask is a null pointer");
}
inline void check_device_transform(mask_transform<device_view<std::uint8_t const>> const& f,
                                   index rows, index cols, char const* who) {
  check_view(f.keep, "the mask");
  if (f.keep.rows != rows || f.keep.cols != cols) {
    fail(who, ": the mask is ", f.keep.rows, "×", f.keep.cols, ", the logits ", rows, "×", cols);
  }
}
template <class Operand>
void check_device_transforms(Operand const& of, char const* who) {
  unpack([&](auto const&... f) { (check_device_transform(f, of.x.rows, of.x.cols, who), ...); },
         of.transforms);
}

/// Shapes and options of a call, before anything is launched: fills in rows, classes and smoothing.
template <bool Student, bool Teacher, class Call>
void check_device_call(Call& call) {
  device_batch const& options = call.options;
  bool const labelled = call.teacher_kind == operand_kind::labels;
  auto const& student = call.student.x;
  check_view(student, "the student");
  call.rows = student.rows;
  index classes = student.cols;
  if (labelled) {
    if (call.teacher.y.size != call.rows) {
      fail("there are ", call.teacher.y.size, " labels for the student's ", call.rows, " rows");
    }
    if (call.teacher.y.data == nullptr && call.rows > 0) fail("labels is a null pointer");
    if (!(call.teacher.smoothing >= 0 && call.teacher.smoothing < 1)) {
      fail("labels: the smoothing is ", call.teacher.smoothing, "; it must lie in [0, 1)");
    }
    if (!options.labels.empty()) fail("labels are given twice: as the teacher and in the batch");
  } else if (call.teacher_kind == operand_kind::top_k) {
    check_device_top_k(call);
  } else {
    check_view(call.teacher.x, "the teacher");
    if (call.teacher.x.rows != call.rows) {
      fail("the teacher has ", call.teacher.x.rows, " rows, the student ", call.rows);
    }
    if (call.teacher.x.cols != classes) {
      if (options.valid_classes == 0 && options.valid_classes_per_row.empty()) {
        fail("the teacher has ", call.teacher.x.cols, " classes, the student ", classes,
             ": where some of them are padding, say so with device_batch::valid_classes");
      }
      classes = std::min(classes, call.teacher.x.cols);
    }
  }
  call.classes = settle_device_classes(options, call.rows, classes);
  call.label_smoothing = labelled ? call.teacher.smoothing : 0;
  check_device_transforms(call.teacher, "the teacher");
  check_device_transforms(call.student, "the student");
  check_device_temperature(call.teacher.temperature, "the teacher");
  check_device_temperature(call.student.temperature, "the student");
  check_span(options.weights, call.rows, "weights");
  check_span(options.upstream, call.rows, "upstream");
  check_span(options.labels, call.rows, "labels");
  check_span(options.per_row, call.rows, "per_row");
  if (!(options.normaliser >= 0 && std::isfinite(options.normaliser))) {
    fail("device_batch::normaliser is ", options.normaliser,
         "; it must be positive, or 0 for none");
  }
  if (!std::isfinite(call.scale)) fail("the gradients' scale is ", call.scale);
  if (call.facts.has_labels && call.labels() == nullptr && call.rows > 0) {
    fail("cross_entropy needs labels: pass labels(y) as the teacher or device_batch::labels");
  }
  if (call.facts.smooths_labels && call.label_smoothing != 0) {
    fail("label smoothing is given twice: by labels(y, ", call.label_smoothing,
         ") and by cross_entropy's own");
  }
  bool const given = call.student_kind != operand_kind::logits ||
                     call.teacher_kind == operand_kind::log_probabilities;
  if (call.facts.tempers && given) {
    fail("at(T, …) needs logits: log-probabilities have their temperature already");
  }
  if (call.facts.z_weight != 0 && call.student_kind != operand_kind::logits) {
    fail("z_loss needs the student's logits: the log-partition of probabilities is 0");
  }
  if constexpr (Student) {
    check_gradient(call.student_to, call.rows, student.cols, "the student's gradient");
    auto const g = extent_of(call.student_to);
    check_apart(g, extent_of(student), true, "the student's gradient and its logits");
    if (!labelled) {
      check_apart(g, extent_of(call.teacher.x), false, "the student's gradient and the teacher");
    }
  }
  if constexpr (Teacher) {
    check_gradient(call.teacher_to, call.rows, call.teacher.x.cols, "the teacher's gradient");
    auto const g = extent_of(call.teacher_to);
    check_apart(g, extent_of(call.teacher.x), true, "the teacher's gradient and its logits");
    check_apart(g, extent_of(student), false, "the teacher's gradient and the student");
    if constexpr (Student) {
      check_apart(g, extent_of(call.student_to), false, "the two gradients");
    }
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
