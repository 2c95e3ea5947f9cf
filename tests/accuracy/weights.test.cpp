// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Mixtures of teacher and student whose weights are anything between 0 and 1: as one of them goes
// to 0 the losses become small differences, whose digits must stay.

#include <doctest/doctest.h>
#include <accuracy/random_rows.hpp>
#include <accuracy/score.hpp>

#include <cstddef>
#include <cstdint>

namespace {

/// `least`: where probabilities underflow, a slope of 1/weight must leave them small.
std::vector<losses::loss> all_weights(double least = 1e-30) {
  std::vector<losses::loss> all;
  for (auto const kind :
       {losses::kind::skew_kl, losses::kind::reverse_skew_kl, losses::kind::skew_js}) {
    for (double weight : {1e-30, 1e-12, 1e-6, 1e-3, .02, .3, .6, .8, .95, .999}) {
      if (weight >= least) all.push_back({kind, weight});
    }
    for (double rest : {1e-6, 1e-9, 0x1p-40}) all.push_back({kind, 1 - rest});
  }
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("mixtures of any weight are within the budget", T, float, double) {
  auto report = score::report::of<T>(budget::situation::moderate);
  std::uint64_t seed = 700;
  for (double scale : {.3, 2., 15.}) {
    for (std::size_t classes : {2, 5, 60, 200}) {
      std::size_t const rows = classes < 64 ? 17 : 2;
      ++seed;
      score::compare(report, all_weights(), losses::random_rows<T>(seed, rows, classes, scale, 1),
                     losses::random_name(seed, scale, 1));
    }
  }
  report.finish();
}

TEST_CASE_TEMPLATE("mixtures of any weight near convergence", T, float, double) {
  auto report = score::report::of<T>(budget::situation::near_short);
  std::uint64_t seed = 720;
  for (double delta : {1e-4, 1e-2}) {
    for (std::size_t classes : {2, 10, 150}) {
      ++seed;
      score::compare(report, all_weights(),
                     losses::converged_rows<T>(seed, classes < 64 ? 17 : 2, classes, delta, 7.3),
                     losses::converged_name(seed, delta, 7.3));
    }
  }
  report.finish();
}

TEST_CASE_TEMPLATE("mixtures of any weight for confident students", T, float, double) {
  auto report = score::report::of<T>(budget::situation::confident);
  std::uint64_t seed = 740;
  for (double scale : {30., 60.}) {
    for (std::size_t classes : {2, 10, 150}) {
      ++seed;
      score::compare(report, all_weights(1e-12),
                     losses::random_rows<T>(seed, classes < 64 ? 17 : 2, classes, scale, 1),
                     losses::random_name(seed, scale, 1));
    }
  }
  report.finish();
}
