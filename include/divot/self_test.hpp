// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/exact.hpp>

#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// Throws divot::error if this unit was compiled in a way that breaks the numbers: with arithmetic
/// reordered, or without infinities and NaN.
///
/// `-ffast-math` is refused at compile time; this finds what a compiler does not show, such as
/// `#pragma GCC optimize("associative-math")`. Call it once from each unit in doubt: it is compiled
/// into its caller.
DIVOT_INLINE void self_test() {
  double volatile large = 1e16, one = 1, infinite = std::numeric_limits<double>::infinity();
  double const a = large, b = -one;
  two_words<double> const d = exact_difference(a, b);
  if (d.high + d.low != 1e16 || d.low != 1) {
    fail("self test: sums are reordered here (-fassociative-math?); exact differences are lost");
  }
  double const x = infinite;
  double const undefined = x - x;
  double volatile kept = undefined;
  if (kept == undefined || !(-x < -std::numeric_limits<double>::max())) {
    fail("self test: infinities and NaN are not honoured here (-ffinite-math-only?)");
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
