// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <accuracy/losses.hpp>
#include <accuracy/samples.hpp>

#include <cstdint>
#include <string>

namespace {

bool is_divergence(losses::loss const& l) { return l.what != losses::kind::soft_cross_entropy; }

}  // namespace

TEST_CASE_TEMPLATE("rows of the same bits have divergence 0 and gradient 0, exactly", T, float,
                   double) {
  std::uint64_t seed = 1200;
  for (double scale : {1., 15., 60.}) {
    for (double temperature : {1., 3.}) {
      for (std::size_t classes : {1, 2, 7, 64, 128, 129, 1003, 32000}) {
        if (classes > 2000 && scale != 15) continue;
        samples::random r(++seed);
        std::size_t const rows = classes < 100 ? 11 : 2;
        losses::problem<T> given{rows, classes,     samples::logits<T>(r, rows * classes, scale),
                                 {},   temperature, temperature};
        given.student = given.teacher;
        for (losses::loss const& l : losses::all()) {
          if (!is_divergence(l)) continue;
          for (losses::policy p : losses::policies) {
            auto const got = losses::run(p, l, given, losses::wanted::student);
            std::size_t wrong = 0;
            for (double loss : got.per_row) wrong += loss != 0;
            for (T g : got.student) wrong += g != 0;
            CHECK_MESSAGE(wrong == 0, losses::name(l), " ", losses::name(p), ", ", classes,
                          " classes, scale ", scale, ", T ", temperature, ": ", wrong,
                          " numbers are not 0; the first loss is ", got.per_row[0]);
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("no divergence is negative, however close the rows", T, float, double) {
  std::uint64_t seed = 1300;
  for (double delta : {1e-16, 1e-12, 1e-8, 1e-7, 1e-6, 1e-5}) {
    for (double shift : {0., 7.3, 200.}) {
      for (std::size_t classes : {2, 5, 100, 1003}) {
        samples::random r(++seed);
        std::size_t const rows = classes < 100 ? 21 : 2;
        losses::problem<T> given{rows, classes, {}, samples::logits<T>(r, rows * classes, 2)};
        given.teacher = samples::beside(r, given.student, delta, shift);
        for (losses::loss const& l : losses::all()) {
          if (!is_divergence(l)) continue;
          for (losses::policy p : losses::policies) {
            auto const got = losses::run(p, l, given, losses::wanted::student);
            double least = 0;
            for (double loss : got.per_row) least = loss >= least ? least : loss;
            bool finite = true;
            for (T g : got.student) finite = finite && g - g == 0;
            CHECK_MESSAGE(least == 0, losses::name(l), " ", losses::name(p), ": ", least);
            CHECK_MESSAGE(finite, losses::name(l), " ", losses::name(p));
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("losses are the same with and without gradients, and the same bits from omp", T,
                   float, double) {
  samples::random r(1400);
  for (std::size_t classes : {3, 64, 128, 129, 3000}) {
    losses::problem<T> const given{
        5, classes, samples::logits<T>(r, 5 * classes, 5), samples::logits<T>(r, 5 * classes, 5),
        2, 2};
    for (losses::loss const& l : losses::all()) {
      CAPTURE(losses::name(l));
      CAPTURE(classes);
      auto const simd = losses::run(losses::policy::simd, l, given, losses::wanted::student);
      auto const omp = losses::run(losses::policy::omp, l, given, losses::wanted::student);
      CHECK(simd.per_row == omp.per_row);
      CHECK(simd.student == omp.student);
      CHECK(simd.value == omp.value);
      auto const value = losses::run(losses::policy::simd, l, given, losses::wanted::value);
      for (std::size_t i = 0; i < given.rows; ++i) {
        CHECK(value.per_row[i] == doctest::Approx(simd.per_row[i]).epsilon(budget::law<T>));
      }
    }
  }
}
