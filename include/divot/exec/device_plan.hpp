// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_row.hpp>

#include <algorithm>
#include <cstddef>

namespace divot {
inline namespace DIVOT_ABI {

/// What a pass over rows takes of a device, and how it is shared out.
struct device_layout {
  int grid = 1, threads = 32, cluster = 1;
  index slice = 0;               // classes that a block has of a row, whole packs
  std::size_t shared_bytes = 0;  // scratch of a block in shared memory, or
  std::byte* memory = nullptr;   // in global memory,
  std::size_t stride = 0;        // so far apart
};

/// What the device has, as far as layouts depend on it.
struct device_limits {
  int processors = 1;
  index shared_bytes = 48 << 10;  // a block's, at most
  index cluster = 1;              // blocks in a cluster, at most
};

/// Threads of a block at most: what leaves a thread 128 registers, and a processor has room for no
/// more of them then, in however many blocks.
inline constexpr int most_block_threads = 512;

inline index rounded_up(index x, index step) { return (x + step - 1) / step * step; }

/// Threads for so many classes in a block: two packs each, as whole warps.
inline int threads_for(index classes, index width) {
  index const wanted = rounded_up(rounded_up(classes, 2 * width) / (2 * width), 32);
  return static_cast<int>(std::min<index>(wanted, most_block_threads));
}

/// The first pass. Rows that fit into shared memory have a block each; longer ones a cluster of
/// blocks, the smallest that leaves room for a second block on each processor, or failing that the
/// smallest that fits; still longer ones work in global memory, a block each.
///
/// The blocks that a processor has shared memory for share its registers: the numbers of a row are
/// worked out by every warp of its block, so short rows have one each, and many at a time. A block
/// takes short rows one after the other, on as many blocks as there is room for; a long row is a
/// cluster's only one, so that the device evens them out.
inline device_layout layout_of_rows(device_limits const& device, device_arrays const& arrays,
                                    index rows, index classes, index width, index number_bytes) {
  index const reserved = 4 << 10;  // sums between warps and blocks, and what the system takes
  index const fits = device.shared_bytes - reserved;
  index const comfortable = std::min<index>(fits, device.shared_bytes / 2 - reserved);
  device_layout out;
  for (index const limit : {comfortable, fits}) {
    for (index blocks = 1; blocks <= device.cluster; blocks *= 2) {
      index const slice = rounded_up((classes + blocks - 1) / blocks, width);
      index const bytes = slice * number_bytes * arrays.count();
      if (bytes > limit) continue;
      out.cluster = static_cast<int>(blocks);
      out.slice = slice;
      out.shared_bytes = static_cast<std::size_t>(bytes);
      index const room = device.shared_bytes / (bytes + reserved);
      index const side_by_side = std::clamp<index>(room, 1, most_block_threads / 32);
      index const share = most_block_threads / side_by_side / 32 * 32;
      out.threads = static_cast<int>(std::min<index>(threads_for(slice, width), share));
      index const at_once = side_by_side * device.processors;
      index const most = blocks > 1 ? index(1) << 20 : at_once;
      out.grid = static_cast<int>(std::min<index>(rows, most)) * out.cluster;
      return out;
    }
  }
  out.slice = rounded_up(classes, width);
  out.stride = static_cast<std::size_t>(rounded_up(out.slice * number_bytes * arrays.count(), 256));
  out.threads = threads_for(out.slice, width);
  out.grid = static_cast<int>(std::min<index>(rows, 2 * device.processors));
  return out;
}

/// A pass over rows that were left, which are few: in global memory, no more than so much of it.
/// `block_bytes`: of the sums of a row that has several blocks.
inline device_layout layout_of_left_rows(device_limits const& device, device_arrays const& arrays,
                                         index rows, index classes, index width, index number_bytes,
                                         index block_bytes) {
  constexpr index most_bytes = index(64) << 20;
  device_layout out;
  out.slice = rounded_up(classes, width);
  index const bytes = rounded_up(out.slice * number_bytes * arrays.count() + block_bytes, 256);
  out.stride = static_cast<std::size_t>(bytes);
  out.threads = width > 1 ? threads_for(out.slice, width) : 1;
  out.grid = static_cast<int>(std::max<index>(
      1,
      std::min<index>({rows, index(device.processors), most_bytes / std::max<index>(bytes, 256)})));
  return out;
}

/// The arrays that a call needs on a row, with these gradients.
template <class Plan, bool student, bool teacher, class Call>
device_arrays arrays_of(Call const& call) {
  loss_facts const& facts = call.facts;
  constexpr bool needs_teacher = Plan::needs_teacher;
  device_arrays a;
  bool const weights = student || (facts.has_function && !teacher);
  // a gradient takes the place of its logits, even one that nothing adds to
  a.teacher = needs_teacher || teacher;
  // else they lie over the teacher's exponentials, which nobody reads any more
  a.student_weights = weights && !(needs_teacher && !teacher);
  a.teacher_weights = teacher;
  a.student_partial = facts.adds_up && weights;
  a.teacher_partial = facts.adds_up && teacher;
  a.pull_rows = static_cast<int>(
      std::max(student ? Call::student_pull_rows : 0, teacher ? Call::teacher_pull_rows : 0));
  return a;
}

}  // namespace DIVOT_ABI
}  // namespace divot
