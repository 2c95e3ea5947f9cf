// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/extent.hpp>
#include <accuracy/random_rows.hpp>
#include <accuracy/score.hpp>

#include <cstddef>
#include <cstdint>

TEST_CASE_TEMPLATE("losses and gradients of ordinary rows are within the budget", T, float,
                   double) {
  auto report = score::report::of<T>(budget::situation::moderate);
  auto const short_list = losses::with_labels(losses::all());
  std::uint64_t seed = 100;
  for (double scale : {1., 5., 15.}) {
    for (double temperature : {1., 3.}) {
      if (!all_rows() && (scale == 5) == (temperature == 3)) continue;
      for (std::size_t const classes : {2u, 3u, 7u, 10u, 128u, 129u, 1000u}) {
        if (classes == 1000 && temperature != 3) continue;
        std::size_t const rows = classes < 64 ? 8 : classes < 1000 ? 3 : 1;
        ++seed;
        score::compare(report, short_list,
                       losses::random_rows<T>(seed, rows, classes, scale, temperature),
                       losses::random_name(seed, scale, temperature));
      }
    }
  }
  report.finish();
}

TEST_CASE_TEMPLATE("losses and gradients of many short rows are within the budget", T, float,
                   double) {
  auto report = score::report::of<T>(budget::situation::moderate);
  std::uint64_t seed = 300;
  for (std::size_t const classes : {2u, 3u, 5u, 8u, 10u, 17u, 33u, 64u, 127u, 128u}) {
    ++seed;
    if (!all_rows() && seed % 2 == 0) continue;
    score::compare(report, losses::with_labels(losses::all()),
                   losses::random_rows<T>(seed, 35, classes, 5, 2),
                   losses::random_name(seed, 5, 2));
  }
  report.finish();
}

TEST_CASE_TEMPLATE("losses and gradients of confident rows are within the budget", T, float,
                   double) {
  auto report = score::report::of<T>(budget::situation::confident);
  std::uint64_t seed = 400;
  for (double scale : {30., 60.}) {
    for (double temperature : {1., 0.5}) {
      if (!all_rows() && (scale == 30) == (temperature == 1)) continue;
      for (std::size_t const classes : {2u, 3u, 10u, 65u, 1000u}) {
        std::size_t const rows = classes < 64 ? 11 : 1;
        ++seed;
        score::compare(report, losses::with_labels(losses::all()),
                       losses::random_rows<T>(seed, rows, classes, scale, temperature),
                       losses::random_name(seed, scale, temperature));
      }
    }
  }
  score::compare(report, losses::with_labels(losses::main_ones()),
                 losses::random_rows<T>(500, 1, 9001, 60, 1), losses::random_name(500, 60, 1));
  report.finish();
}
