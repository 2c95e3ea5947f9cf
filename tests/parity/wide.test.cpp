// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Few rows with many columns: all threads share each row, in fixed blocks.

#include <doctest/doctest.h>

#include <parity/grid.hpp>

namespace {

using parity::how;
using parity::problem;
using parity::wanted;

constexpr divot::index many = 100000;

}  // namespace

TEST_CASE_TEMPLATE("threads that share a row leave simd's bits", T, float, double) {
  for (divot::index const rows : {1, 2, 3}) {
    problem<T> const given(static_cast<std::uint64_t>(rows), rows, many, 4, 2, 2);
    for (auto const what : parity::losses<T>()) {
      CAPTURE(rows);
      CAPTURE(parity::name(what));
      auto const right = solve(parity::simd, what, given);
      for (int const threads : {1, 2, 3, 7}) {
        CAPTURE(threads);
        CHECK(solve(parity::omp(threads), what, given) == right);
      }
      agree(what, right, solve(parity::seq, what, given), given);
    }
  }
}

TEST_CASE("a shared row has simd's bits in place, accumulated and in other layouts") {
  problem<float> const given(10, 2, many, 4);
  for (auto const what : parity::losses<float>()) {
    CAPTURE(parity::name(what));
    auto const right = solve(parity::simd, what, given, wanted::student);
    for (int const threads : {2, 7}) {
      CAPTURE(threads);
      auto const p = parity::omp(threads);
      CHECK(solve(p, what, given, wanted::student, {.in_place = true}) == right);
      if (what == parity::loss::kl || what == parity::loss::mixture) {
        for (auto const& l : {parity::layouts[0], parity::layouts[2], parity::layouts[4]}) {
          CAPTURE(std::string(l.name));
          CHECK(solve(p, what, given, wanted::student, {.operands = l, .targets = l}) == right);
          CHECK(solve(p, what, given, wanted::student, {.operands = l, .in_place = true}) == right);
        }
      }
      how const more{.accumulate = 3.};
      CHECK(solve(p, what, given, wanted::both, more) ==
            solve(parity::simd, what, given, wanted::both, more));
    }
  }
}

TEST_CASE("a shared row near convergence has simd's bits") {
  // these rows take the sweep that corrects the offset
  problem<float> given(20, 3, many, 4);
  samples::random r(21);
  given.student = samples::beside(r, given.teacher, 1e-3, 7.3);
  for (auto const what : parity::losses<float>()) {
    CAPTURE(parity::name(what));
    auto const right = solve(parity::simd, what, given);
    for (int const threads : {2, 3, 7}) {
      CAPTURE(threads);
      CHECK(solve(parity::omp(threads), what, given) == right);
    }
  }
}

TEST_CASE("masked and padded shared rows have simd's bits") {
  problem<float> given(30, 3, many, 4);
  for (auto& label : given.labels) label %= 90000;
  std::vector<std::uint8_t> const mask{1, 0, 1};
  std::vector<divot::index> const classes{90000, 1, 99999};
  for (auto const what : parity::losses<float>()) {
    CAPTURE(parity::name(what));
    how options;
    options.options.mask = mask;
    options.options.valid_classes = 90000;
    auto const padded = solve(parity::simd, what, given, wanted::both, options);
    CHECK(solve(parity::omp(2), what, given, wanted::both, options) == padded);
    CHECK(solve(parity::omp(7), what, given, wanted::both, options) == padded);
    options.options.valid_classes = 0;
    options.options.valid_classes_per_row = classes;
    auto const uneven = solve(parity::simd, what, given, wanted::both, options);
    CHECK(solve(parity::omp(2), what, given, wanted::both, options) == uneven);
    CHECK(solve(parity::omp(7), what, given, wanted::both, options) == uneven);
    CHECK(uneven.student[many] == 0);
    CHECK(uneven.student[2 * many + 99999] == 0);
  }
}

TEST_CASE("a shared row whose classes are missing on one side has simd's bits") {
  problem<float> given(40, 2, many, 4);
  for (std::size_t i = 0; i < given.teacher.size(); i += 3) {
    given.teacher[i] = -std::numeric_limits<float>::infinity();
  }
  for (std::size_t i = 0; i < given.student.size(); i += 7) {
    given.student[i] = -std::numeric_limits<float>::infinity();
  }
  for (auto const what :
       {parity::loss::kl, parity::loss::jensen_shannon, parity::loss::total_variation}) {
    CAPTURE(parity::name(what));
    auto const right = solve(parity::simd, what, given);
    for (int const threads : {2, 7}) {
      auto const got = solve(parity::omp(threads), what, given);
      CHECK(got.per_row == right.per_row);
      CHECK(got.student == right.student);
      CHECK(got.teacher == right.teacher);
    }
  }
}
