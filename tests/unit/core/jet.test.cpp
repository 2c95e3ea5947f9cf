// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/core/jet.hpp>

#include <array>
#include <cmath>
#include <cstddef>

namespace {

constexpr std::size_t order = 12;
using series = divot::jet<order>;

double factorial(std::size_t n) {
  double f = 1;
  for (std::size_t i = 2; i <= n; ++i) f *= static_cast<double>(i);
  return f;
}

template <class Coefficient>
void is(series const& s, Coefficient const& c) {
  for (std::size_t n = 0; n < order; ++n) {
    CAPTURE(n);
    double const exact = c(n);
    CHECK(std::abs(s.c[n] - exact) <= 1e-13 * std::max(1., std::abs(exact)));
  }
}

/// a and b have the same coefficients.
void same(series const& a, series const& b) {
  is(a, [&](std::size_t n) { return b.c[n]; });
}

series const x = series::variable();
/// A series with every coefficient in use and a constant term of 2.
series const busy = exp(x) + series(1.) + x * x * series(0.3);

}  // namespace

TEST_CASE("the variable is x and a number is a constant") {
  is(x, [](std::size_t n) { return n == 1 ? 1. : 0.; });
  is(series(3.5), [](std::size_t n) { return n == 0 ? 3.5 : 0.; });
}

TEST_CASE("exp and expm1 have the coefficients 1/n!") {
  is(exp(x), [](std::size_t n) { return 1 / factorial(n); });
  is(expm1(x), [](std::size_t n) { return n == 0 ? 0 : 1 / factorial(n); });
  is(exp(x * series(-2.)),
     [](std::size_t n) { return std::pow(-2., static_cast<double>(n)) / factorial(n); });
}

TEST_CASE("log1p and log have the coefficients of the logarithm's series") {
  auto const log_series = [](std::size_t n) {
    return n == 0 ? 0 : (n % 2 == 1 ? 1. : -1.) / static_cast<double>(n);
  };
  is(log1p(x), log_series);
  is(log(series(1.) + x), log_series);
}

TEST_CASE("pow has binomial coefficients and sqrt is pow with one half") {
  for (double const e : {-1.5, 0.5, 3., 0.2}) {
    is(pow(series(1.) + x, e), [&](std::size_t n) {
      double c = 1;
      for (std::size_t i = 0; i < n; ++i) {
        c *= (e - static_cast<double>(i)) / static_cast<double>(i + 1);
      }
      return c;
    });
  }
  same(sqrt(busy), pow(busy, .5));
  same(sqrt(busy) * sqrt(busy), busy);
}

TEST_CASE("a quotient is undone by a product") {
  is(series(1.) / (series(1.) - x), [](std::size_t) { return 1.; });
  same(busy / (series(2.) + x) * (series(2.) + x), busy);
  series y = busy;
  y += x;
  y -= series(2.) * x;
  y *= busy;
  y /= busy;
  same(y, busy - x);
  same(-(-y), +y);
}

TEST_CASE("exp and log undo each other") {
  same(exp(log(busy)), busy);
  same(log(exp(busy)), busy);
  same(log1p(expm1(busy)), busy);
}

TEST_CASE("abs changes the sign of a series that starts below zero") {
  same(abs(series(-2.) + x), series(2.) - x);
  same(abs(series(2.) - x), series(2.) - x);
}

TEST_CASE("series compare by their constant terms") {
  CHECK(x < series(1.));
  CHECK(series(1.) + x > series(0.5));
  CHECK(x <= series(0.));
  CHECK(x >= series(0.));
}

TEST_CASE("a divergence's generator has its known series at p = q") {
  // u ln u − u + 1 at u = e^x: Σ_{n ≥ 2} (n − 1) xⁿ/n!
  auto const u = exp(x);
  is(u * x - u + series(1.),
     [](std::size_t n) { return n < 2 ? 0 : static_cast<double>(n - 1) / factorial(n); });
  // (√u − 1)²: Σ (1 − 2^{1−n}) xⁿ/n!
  auto const root = sqrt(u) - series(1.);
  is(root * root, [](std::size_t n) {
    return n < 2 ? 0 : (1 - std::exp2(1 - static_cast<double>(n))) / factorial(n);
  });
}

TEST_CASE("powers of a series stay in range where those of its coefficients do not") {
  series const large = sqrt(busy * series(0x1p1020)), small = sqrt(busy * series(0x1p-1020));
  same(large * series(0x1p-510), sqrt(busy));
  same(small * series(0x1p510), sqrt(busy));
}
