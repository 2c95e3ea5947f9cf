// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/random_rows.hpp>
#include <accuracy/score.hpp>

#include <cstddef>
#include <cstdint>

TEST_CASE("losses and gradients of long rows are within the budget") {
  auto in_float = score::report::of<float>(budget::situation::moderate);
  auto in_double = score::report::of<double>(budget::situation::moderate);
  auto const list = losses::with_labels(losses::some());
  for (double scale : {1., 5., 15.}) {
    score::compare(in_float, in_double, list, losses::random_rows<float>(200, 1, 32000, scale, 2),
                   losses::random_name(200, scale, 2));
  }
  score::compare(in_float, in_double, losses::with_labels(losses::main_ones()),
                 losses::random_rows<float>(201, 1, 152064, 5, 1), losses::random_name(201, 5, 1));
  in_float.finish();
  in_double.finish();
}

TEST_CASE("rows of 128 256 classes near convergence are within the budget") {
  auto in_float = score::report::of<float>(budget::situation::near_convergence);
  auto in_double = score::report::of<double>(budget::situation::near_convergence);
  struct point {
    double delta, shift;
  };
  for (point const p : {point{1e-4, 0}, {1e-4, 7.3}, {1e-4, 200}, {1e-3, 7.3}, {1e-2, 200}}) {
    bool const every = p.delta == 1e-4 && p.shift == 7.3;
    score::compare(in_float, in_double, every ? losses::some() : losses::main_ones(),
                   losses::converged_rows<float>(700, 1, 128256, p.delta, p.shift),
                   losses::converged_name(700, p.delta, p.shift));
  }
  in_float.finish();
  in_double.finish();
}
