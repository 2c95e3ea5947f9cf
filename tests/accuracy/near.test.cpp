// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/extent.hpp>
#include <accuracy/random_rows.hpp>
#include <accuracy/score.hpp>

#include <cstddef>
#include <cstdint>

TEST_CASE_TEMPLATE("short rows near convergence are within the budget", T, float, double) {
  auto report = score::report::of<T>(budget::situation::near_short);
  std::uint64_t seed = 600;
  for (double delta : {1e-4, 1e-3, 1e-2}) {
    for (double shift : {0., 7.3, 200.}) {
      if (!all_rows() && (delta == 1e-3) != (shift == 7.3)) continue;
      for (std::size_t const classes : {2u, 10u, 100u, 259u}) {
        for (double scale : {1., 5.}) {
          ++seed;
          std::size_t const rows = classes <= 10 ? 19 : classes <= 128 ? 7 : 1;
          score::compare(report, losses::all(),
                         losses::converged_rows<T>(seed, rows, classes, delta, shift, scale),
                         losses::converged_name(seed, delta, shift, scale));
        }
      }
    }
  }
  report.finish();
}
