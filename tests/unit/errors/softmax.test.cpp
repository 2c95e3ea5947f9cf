// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The softmax family refuses what the losses refuse, in the same words and with the same care.
#include <divot/softmax.hpp>

#include <doctest/doctest.h>
#include <unit/calls.hpp>

#include <cmath>
#include <vector>

#if DIVOT_HAS_OPENMP
#define EVERY_POLICY divot::seq_policy, divot::simd_policy, divot::omp_policy
#else
#define EVERY_POLICY divot::seq_policy, divot::simd_policy
#endif

namespace calls {
namespace {

constexpr float inf = HUGE_VALF, nan = NAN;
constexpr Eigen::Index rows = 4, classes = 70;

}  // namespace

TEST_CASE_TEMPLATE("softmax checks shapes, temperature, options and overlap first", Policy,
                   EVERY_POLICY) {
  matrix const x = normal(rows, classes, 1);
  matrix out = untouched_like(x), narrow = untouched_like(normal(rows, classes - 1, 1));
  auto const given = [&](auto const& what, auto&& to, divot::batch const& options = {}) {
    return refusal([&] { divot::softmax(Policy{}, what, to, options); });
  };
  CHECK(given(x, narrow) ==
        "divot: the output is 4×69, the input 4×70; they must have the same shape");
  CHECK(given(divot::logits(x, 0), out) ==
        "divot: the input: the temperature is 0; it must be positive and finite");
  CHECK(given(x, out, {.valid_classes = 71}) ==
        "divot: batch::valid_classes is 71; it must lie between 1 and 70 (0: all)");
  std::vector<std::uint8_t> const mask(3, 1);
  CHECK(given(x, out, {.mask = mask}) == "divot: batch::mask has 3 entries for 4 rows");
  CHECK(given(view{nullptr, rows, classes}, out) == "divot: the input: the data pointer is null");
  CHECK(given(x, target{{nullptr, rows, classes}}) ==
        "divot: the output: the data pointer is null");
  CHECK(refusal([&] { divot::softmax_pullback(Policy{}, x, x, narrow); }) ==
        "divot: the output is 4×69, the input 4×70; they must have the same shape");
  CHECK(refusal([&] { divot::logsumexp_pullback(Policy{}, x, Eigen::VectorXf(rows), narrow); }) ==
        "divot: the output is 4×69, the input 4×70; they must have the same shape");
  CHECK(given(matrix(rows, 0), matrix(rows, 0)) == "divot: there are 4 rows and no classes");
  CHECK(out == untouched_like(x));
  CHECK(narrow == untouched_like(narrow));

  matrix wide = normal(rows, classes + 1, 2);
  matrix const before = wide;
  CHECK(given(wide.leftCols(classes), wide.rightCols(classes)) ==
        "divot: input and output overlap without being the same elements");
  CHECK(wide == before);
  CHECK(given(x, out) == "no exception");
}

#if DIVOT_HAS_OPENMP
TEST_CASE("a number of threads is not negative, before anything is written") {
  matrix const x = normal(rows, classes, 1);
  matrix out = untouched_like(x);
  std::vector<float> logs(4, untouched);
  std::vector<std::uint8_t> const mask{0, 1, 1, 1};
  std::string const words =
      "divot: omp: the number of threads is -1; it must be positive (0, or omp alone: as many as "
      "OpenMP would take)";
  CHECK(refusal([&] { divot::softmax(divot::omp(-1), x, out); }) == words);
  CHECK(refusal([&] { divot::softmax_pullback(divot::omp(-1), x, x, out); }) == words);
  CHECK(refusal([&] { divot::logsumexp(divot::omp(-1), x, logs, {.mask = mask}); }) == words);
  CHECK(out == untouched_like(x));
  CHECK(logs == std::vector<float>(4, untouched));
  matrix all = out, two = out;
  divot::softmax(divot::omp, x, all);
  divot::softmax(divot::omp(2), x, two);
  CHECK(all == two);
}
#endif

TEST_CASE_TEMPLATE("softmax leaves a bad row's output and completes the others", Policy,
                   EVERY_POLICY) {
  matrix x = normal(rows, classes, 1);
  matrix good = x, out = untouched_like(x);
  divot::softmax(Policy{}, x, good);
  x(1, 5) = nan;
  x.row(3).setConstant(-inf);
  CHECK(refusal<divot::bad_value>([&] { divot::softmax(Policy{}, x, out); }) ==
        "divot: input, row 1, column 5: NaN; 2 rows are bad; all other rows are complete");
  CHECK((out.row(0).array() == good.row(0).array()).all());
  CHECK((out.row(1).array() == untouched).all());
  CHECK((out.row(2).array() == good.row(2).array()).all());
  CHECK((out.row(3).array() == untouched).all());
}

TEST_CASE_TEMPLATE("check::first refuses a bad row before anything is written", Policy,
                   EVERY_POLICY) {
  matrix x = normal(rows, classes, 1);
  matrix out = untouched_like(x);
  x(2, 5) = nan;
  x(3, 0) = inf;
  CHECK(refusal<divot::bad_value>([&] {
          divot::softmax(Policy{}, x, out, {.check = divot::check::first});
        }) == "divot: input, row 2, column 5: NaN; 2 rows are bad; nothing was written");
  CHECK((out.array() == untouched).all());
  std::vector<std::uint8_t> const mask{1, 1, 0, 0};
  divot::softmax(Policy{}, x, out, {.mask = mask, .check = divot::check::first});
  CHECK(out.row(1).sum() == doctest::Approx(1));
}

TEST_CASE_TEMPLATE("every row may have its own number of classes", Policy, EVERY_POLICY) {
  matrix x = normal(rows, classes, 1);
  std::vector<divot::index> const own{70, 1, 13, 64};
  matrix out = untouched_like(x);
  std::vector<float> logs(4);
  divot::softmax(Policy{}, x, out, {.valid_classes_per_row = own});
  divot::logsumexp(Policy{}, x, logs, {.valid_classes_per_row = own});
  for (Eigen::Index r = 0; r < rows; ++r) {
    Eigen::Index const n = own[static_cast<std::size_t>(r)];
    matrix const alone = x.row(r).leftCols(n);
    matrix expected(1, n);
    std::vector<float> log(1);
    divot::softmax(Policy{}, alone, expected);
    divot::logsumexp(Policy{}, alone, log);
    CHECK(out.row(r).leftCols(n) == expected);
    CHECK(out.row(r).rightCols(classes - n).isZero(0));
    CHECK(logs[static_cast<std::size_t>(r)] == log[0]);
  }
}

TEST_CASE("without a policy the softmax family runs on simd") {
  matrix const x = normal(rows, classes, 1), up = normal(rows, classes, 2);
  auto const same = [&](auto const& with, auto const& without) {
    matrix a = untouched_like(x), b = untouched_like(x);
    with(a);
    without(b);
    CHECK(a == b);
  };
  same([&](matrix& m) { divot::softmax(divot::simd, x, m); },
       [&](matrix& m) { divot::softmax(x, m); });
  same([&](matrix& m) { divot::log_softmax(divot::simd, x, m); },
       [&](matrix& m) { divot::log_softmax(x, m); });
  same([&](matrix& m) { divot::softmax_pullback(divot::simd, x, up, m, 2); },
       [&](matrix& m) { divot::softmax_pullback(x, up, m, 2); });
  same([&](matrix& m) { divot::log_softmax_pullback(divot::simd, x, up, m); },
       [&](matrix& m) { divot::log_softmax_pullback(x, up, m); });
  std::vector<float> const weights{1, 2, 3, 4};
  same([&](matrix& m) { divot::logsumexp_pullback(divot::simd, x, weights, m); },
       [&](matrix& m) { divot::logsumexp_pullback(x, weights, m); });
  std::vector<float> a(4), b(4);
  divot::logsumexp(divot::simd, x, a);
  divot::logsumexp(x, b);
  CHECK(a == b);
}

TEST_CASE_TEMPLATE("logsumexp has a number a row, and leaves those of bad rows", Policy,
                   EVERY_POLICY) {
  matrix x = normal(rows, classes, 1);
  std::vector<float> three(3, untouched), out(4, untouched), good(4);
  std::vector<std::uint8_t> const mask{0, 1, 1, 1}, short_mask{0};
  CHECK(refusal([&] { divot::logsumexp(Policy{}, x, three); }) ==
        "divot: logsumexp: the output has 3 entries for 4 rows");
  CHECK(refusal([&] { divot::logsumexp(Policy{}, x, out, {.mask = short_mask}); }) ==
        "divot: batch::mask has 1 entries for 4 rows");
  CHECK(refusal([&] { divot::logsumexp(Policy{}, divot::logits(x, -1), out, {.mask = mask}); }) ==
        "divot: the input: the temperature is -1; it must be positive and finite");
  CHECK(three == std::vector<float>(3, untouched));
  CHECK(out == std::vector<float>(4, untouched));

  divot::logsumexp(Policy{}, x, good);
  x(2, 0) = inf;
  CHECK(refusal<divot::bad_value>([&] { divot::logsumexp(Policy{}, x, out, {.mask = mask}); }) ==
        "divot: input, row 2, column 0: +inf; all other rows are complete");
  CHECK(out == std::vector<float>{0, good[1], untouched, good[3]});
}

TEST_CASE_TEMPLATE("a pullback checks shapes, temperature and overlap first", Policy,
                   EVERY_POLICY) {
  matrix const y = matrix::Constant(rows, classes, 1.f / classes), up = normal(rows, classes, 2);
  matrix const narrow = normal(rows, classes - 1, 3), tall = normal(rows + 1, classes, 3);
  matrix out = untouched_like(y), small = untouched_like(narrow);
  auto const given = [&](auto const& a, auto const& b, auto&& to, double temperature = 1) {
    return refusal([&] { divot::softmax_pullback(Policy{}, a, b, to, temperature); });
  };
  CHECK(given(y, narrow, out) ==
        "divot: the upstream gradient is 4×69, the input 4×70; they must have the same shape");
  CHECK(given(y, tall, out) ==
        "divot: the upstream gradient is 5×70, the input 4×70; they must have the same shape");
  CHECK(given(y, up, small) ==
        "divot: the output is 4×69, the input 4×70; they must have the same shape");
  CHECK(given(y, up, out, -1) ==
        "divot: the pullback: the temperature is -1; it must be positive and finite");
  view const null{nullptr, rows, classes};
  CHECK(given(null, up, out) == "divot: the input: the data pointer is null");
  CHECK(given(y, null, out) == "divot: the upstream gradient: the data pointer is null");
  CHECK(out == untouched_like(y));
  CHECK(small == untouched_like(narrow));

  matrix wide = normal(rows, classes + 1, 2);
  CHECK(given(wide.leftCols(classes), up, wide.rightCols(classes)) ==
        "divot: input and output overlap without being the same elements");
  CHECK(given(y, wide.leftCols(classes), wide.rightCols(classes)) ==
        "divot: input and output overlap without being the same elements");
  CHECK(given(y, up, out) == "no exception");
}

}  // namespace calls
