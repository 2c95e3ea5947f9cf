// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/device_view.hpp>
#include <divot/team/lockstep.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// What the sum over a call's rows is multiplied by, by the threads of a group: 1 over the rows
/// that a mask leaves, or over the normaliser, where the mean is wanted.
template <class Group>
DIVOT_HD void find_device_mean(device_batch const& options, index rows, double* mean) {
  double divisor = 1;
  if (options.reduction == reduction::mean) {
    divisor = options.normaliser;
    if (divisor == 0 && options.mask.empty()) divisor = static_cast<double>(rows);
    if (divisor == 0) {
      thread_share const mine = Group::share(rows);
      // several rows' bytes on their way at a time
#if defined(__CUDA_ARCH__)
#pragma unroll 8
#endif
      for (index r = mine.begin; r < mine.end; r += mine.step) {
        divisor += is_valid(options, r) ? 1 : 0;
      }
      divisor = Group::sum(divisor);
    }
  }
  if (Group::owns(0)) *mean = 1 / (divisor > 0 ? divisor : 1);
}

}  // namespace DIVOT_ABI
}  // namespace divot
