// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkd_checks.hpp>
#include <divot/eigen/checks.hpp>
#include <divot/family/sinkd_ground.hpp>

namespace divot {
inline namespace DIVOT_ABI {

inline void check_sinkd(sinkd const& what, batch const& options, bool numbers) {
  check_sinkd_options(what, options.reduction, numbers);
  if (!options.temperatures.empty()) {
    fail("batch::temperatures: sinkd has one temperature for all rows, its own");
  }
}

/// Once there are rows: whether they are whole sequences, and of equal weight where they must be.
inline void check_sinkd_rows(sinkd const& what, batch const& options, index rows) {
  if (what.rows_per_problem > 0 && rows % what.rows_per_problem != 0) {
    fail("sinkd: ", rows, " rows are no whole number of sequences of ", what.rows_per_problem,
         " (rows_per_problem); fill the last one up with masked rows");
  }
  if (what.gradient != route::envelope) return;
  index first = -1;
  for (index r = 0; r < rows; ++r) {
    if (!is_valid(options, r)) continue;
    if (first < 0) first = r;
    if (gradient_factor(options, r, 1) != gradient_factor(options, first, 1)) {
      fail("sinkd: rows ", first, " and ", r,
           " have different weights or upstream gradients; route::envelope is the gradient of the "
           "whole value, which the plan minimises, and not of its rows' parts: ask for "
           "route::implicit");
    }
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
