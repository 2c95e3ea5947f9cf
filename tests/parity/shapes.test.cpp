// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Every policy against seq at awkward numbers of columns.

#include <doctest/doctest.h>

#include <parity/grid.hpp>

#include <algorithm>

namespace {

using parity::problem;
using parity::wanted;

constexpr divot::index columns[] = {1,  2,  7,   8,   9,   15,  16,   17,   31,   63,
                                    64, 65, 127, 128, 129, 597, 1003, 2048, 2049, 5000};

/// Few rows: the last pack and the last panel are not full.
divot::index few_rows(divot::index cols) { return cols <= 65 ? 21 : cols <= 1100 ? 5 : 3; }
/// So many that threads are worth waking, and each gets several stretches.
divot::index many_rows(divot::index cols) {
  return std::max<divot::index>(few_rows(cols), (1 << 15) / cols + 37);
}

}  // namespace

TEST_CASE_TEMPLATE("simd agrees with seq at every number of columns", T, float, double) {
  std::uint64_t seed = 100;
  for (divot::index const cols : columns) {
    for (auto const what : parity::losses<T>()) {
      CAPTURE(cols);
      CAPTURE(parity::name(what));
      problem<T> const same(++seed, few_rows(cols), cols, 3, 2, 2);
      agree(what, solve(parity::simd, what, same), solve(parity::seq, what, same), same);
      problem<T> const different(++seed, few_rows(cols), cols, 5, 1.5, 3);
      agree(what, solve(parity::simd, what, different), solve(parity::seq, what, different),
            different);
    }
  }
}

TEST_CASE(
    "without the teacher's gradient the student's has the same bits, but for rows done again") {
  for (divot::index const cols : columns) {
    for (auto const what : parity::losses<float>()) {
      for (auto const& p : {parity::seq, parity::simd, parity::omp(2)}) {
        CAPTURE(cols);
        CAPTURE(parity::name(what));
        CAPTURE(parity::name(p));
        problem<float> const given(300, few_rows(cols), cols);
        auto const alone = solve(p, what, given, wanted::student);
        auto const both = solve(p, what, given);
        agree(what, both, alone, given);
        // a teacher's gradient that has lost digits has its row worked out in double
        divot::index again = 0;
        for (divot::index i = 0; i < given.rows; ++i) {
          auto const at = static_cast<std::size_t>(i);
          auto const from = alone.student.begin() + i * given.cols;
          bool const same =
              alone.per_row[at] == both.per_row[at] &&
              std::equal(from, from + given.cols, both.student.begin() + i * given.cols);
          again += !same;
        }
        CHECK(10 * again <= given.rows + 9);
      }
    }
  }
}

TEST_CASE_TEMPLATE("omp has simd's bits with any number of threads", T, float, double) {
  std::uint64_t seed = 500;
  for (divot::index const cols : columns) {
    problem<T> const given(++seed, many_rows(cols), cols);
    for (auto const what : parity::losses<T>()) {
      CAPTURE(cols);
      CAPTURE(parity::name(what));
      auto const right = solve(parity::simd, what, given);
      for (int const threads : {1, 2, 7}) {
        CAPTURE(threads);
        CHECK(solve(parity::omp(threads), what, given) == right);
      }
    }
  }
}

TEST_CASE_TEMPLATE("omp agrees with seq", T, float, double) {
  problem<T> const given(600, 40, 1003, 3, 2, 2);
  for (auto const what : parity::losses<T>()) {
    CAPTURE(parity::name(what));
    agree(what, solve(parity::omp(3), what, given), solve(parity::seq, what, given), given);
  }
}

TEST_CASE_TEMPLATE("a call gives the same bits every time", T, float, double) {
  for (divot::index const cols : {7, 64, 128, 1003}) {
    problem<T> const given(700, many_rows(cols), cols);
    for (auto const what : parity::losses<T>()) {
      for (auto const& p : {parity::simd, parity::omp(2), parity::omp(7)}) {
        CAPTURE(cols);
        CAPTURE(parity::name(what));
        CAPTURE(parity::name(p));
        auto const first = solve(p, what, given);
        CHECK(solve(p, what, given) == first);
      }
    }
  }
}

TEST_CASE_TEMPLATE("a batch's options mean the same to every policy", T, float, double) {
  for (divot::index const cols : {9, 65, 1003}) {
    problem<T> given(800, many_rows(cols), cols);
    auto const n = static_cast<std::size_t>(given.rows);
    samples::random r(801);
    std::vector<double> weights(n), upstream(n), temperatures(n);
    std::vector<std::uint8_t> mask(n);
    std::vector<divot::index> classes(n);
    for (std::size_t i = 0; i < n; ++i) {
      weights[i] = r.normal();
      upstream[i] = r.normal();
      temperatures[i] = 1 + r.uniform();
      mask[i] = r.uniform() < 0.7;
      classes[i] = 1 + static_cast<divot::index>(r.bits() % static_cast<std::uint64_t>(cols));
      given.labels[i] %= classes[i];
    }
    divot::batch options;
    options.weights = weights;
    options.upstream = upstream;
    options.mask = mask;
    options.reduction = divot::reduction::sum;
    auto const compare = [&](char const* which) {
      for (auto const what : parity::losses<T>()) {
        CAPTURE(cols);
        CAPTURE(std::string(which));
        CAPTURE(parity::name(what));
        parity::how const how{.options = options};
        auto const right = solve(parity::seq, what, given, wanted::both, how);
        auto const packs = solve(parity::simd, what, given, wanted::both, how);
        agree(what, packs, right, given);
        for (int const threads : {2, 7}) {
          CHECK(solve(parity::omp(threads), what, given, wanted::both, how) == packs);
        }
        std::size_t written = 0;
        for (std::size_t i = 0; i < n; ++i) {
          if (mask[i] != 0) continue;
          written +=
              packs.per_row[i] != 0 || packs.student[i * static_cast<std::size_t>(cols)] != 0;
        }
        CHECK(written == 0);
      }
    };
    compare("weights, upstream and mask");
    options.valid_classes_per_row = classes;
    compare("and numbers of classes");
    options.temperatures = temperatures;
    compare("and temperatures");
    options.valid_classes_per_row = {};
    options.valid_classes = cols - 2;
    for (auto& label : given.labels) label %= cols - 2;
    compare("temperatures and padded columns");
  }
}

TEST_CASE("long double follows double") {
  for (divot::index const cols : {1, 2, 9, 65, 1003}) {
    for (auto const what : {parity::loss::kl, parity::loss::alpha_beta}) {
      CAPTURE(cols);
      CAPTURE(parity::name(what));
      problem<double> const given(900, 5, cols, 3, 2, 2);
      problem<long double> wide(900, 5, cols, 3, 2, 2);
      wide.teacher.assign(given.teacher.begin(), given.teacher.end());
      wide.student.assign(given.student.begin(), given.student.end());
      auto const got = solve(parity::seq, what, given);
      auto const right = solve(parity::seq, what, wide);
      auto const narrow = [](std::vector<long double> const& x) {
        return std::vector<double>(x.begin(), x.end());
      };
      agree(what, got,
            {{static_cast<double>(right.result.value), right.result.valid_rows,
              right.result.student_temperature, right.result.teacher_temperature},
             right.per_row,
             narrow(right.student),
             narrow(right.teacher)},
            given);
    }
  }
}
