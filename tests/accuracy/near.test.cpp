// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/samples.hpp>
#include <accuracy/score.hpp>

#include <cstdint>
#include <sstream>

namespace {

/// The teacher is the student plus delta·N(0, 1) plus shift, rounded to T.
template <class T>
losses::problem<T> converged_rows(std::uint64_t seed, std::size_t rows, std::size_t classes,
                                  double delta, double shift, double scale = 1) {
  samples::random r(seed);
  losses::problem<T> p{rows, classes, {}, samples::logits<T>(r, rows * classes, scale)};
  p.teacher = samples::beside(r, p.student, delta, shift);
  return p;
}

std::string describe(std::uint64_t seed, double delta, double shift, double scale = 1) {
  std::ostringstream text;
  text << "seed " << seed << ", scale " << scale << ", delta " << delta << ", shift " << shift;
  return text.str();
}

}  // namespace

TEST_CASE_TEMPLATE("short rows near convergence are within the budget", T, float, double) {
  auto report = score::report::of<T>(budget::situation::near_convergence);
  std::uint64_t seed = 600;
  for (double delta : {1e-4, 1e-3, 1e-2}) {
    for (double shift : {0., 7.3, 200.}) {
      for (std::size_t classes : {2, 10, 100, 1003}) {
        for (double scale : {1., 5.}) {
          ++seed;
          std::size_t const rows = classes < 64 ? 19 : 1;
          score::compare(report, losses::all(),
                         converged_rows<T>(seed, rows, classes, delta, shift, scale),
                         describe(seed, delta, shift, scale));
        }
      }
    }
  }
  report.finish();
}

TEST_CASE("rows of 128 256 classes near convergence are within the budget") {
  auto in_float = score::report::of<float>(budget::situation::near_convergence);
  auto in_double = score::report::of<double>(budget::situation::near_convergence);
  for (double delta : {1e-4, 1e-3, 1e-2}) {
    for (double shift : {0., 7.3, 200.}) {
      bool const every = delta == 1e-4 || shift == 7.3;
      score::compare(in_float, in_double, every ? losses::some() : losses::main_ones(),
                     converged_rows<float>(700, 1, 128256, delta, shift),
                     describe(700, delta, shift));
    }
  }
  in_float.finish();
  in_double.finish();
}
