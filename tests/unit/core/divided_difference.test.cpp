// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Against the Hermite–Genocchi form: exp[x₀…x_n] is the integral of exp over the simplex, taken
// here dimension by dimension with Gauss and Legendre's 20 points.

#include <doctest/doctest.h>
#include <divot/core/divided_difference.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

namespace {

using divot::exp_divided_difference;

struct node {
  long double at, weight;
};

/// Gauss–Legendre on [0, 1]: the roots of P_20 by Newton's method.
std::array<node, 20> gauss() {
  std::array<node, 20> rule;
  for (std::size_t i = 0; i < 20; ++i) {
    long double x =
        std::cos(std::numbers::pi_v<long double> * (static_cast<long double>(i) + 0.75L) / 20.5L);
    long double slope = 1;
    for (int step = 0; step < 20; ++step) {
      long double before = 1, p = x;
      for (int n = 2; n <= 20; ++n) {
        long double const next =
            ((2 * n - 1) * x * p - (n - 1) * before) / static_cast<long double>(n);
        before = p;
        p = next;
      }
      slope = 20 * (x * p - before) / (x * x - 1);
      x -= p / slope;
    }
    rule[i] = {(x + 1) / 2, 1 / ((1 - x * x) * slope * slope)};
  }
  return rule;
}

long double one(long double a, long double b) {  // exp[a, b]
  static auto const rule = gauss();
  long double sum = 0;
  for (node const& n : rule) sum += n.weight * std::exp(a + (b - a) * n.at);
  return sum;
}

long double two(long double a, long double b, long double c) {  // exp[a, b, c]
  static auto const rule = gauss();
  long double sum = 0;
  for (node const& n : rule) {
    // ∫ s·exp[a + s(b − a), a + s(c − a)] ds, s from 0 to 1
    sum += n.weight * n.at * one(a + n.at * (b - a), a + n.at * (c - a));
  }
  return sum;
}

long double three(long double a, long double b, long double c, long double d) {
  static auto const rule = gauss();
  long double sum = 0;
  for (node const& n : rule) {
    long double const s = n.at;
    sum += n.weight * s * s * two(a + s * (b - a), a + s * (c - a), a + s * (d - a));
  }
  return sum;
}

bool close(long double got, long double exact) { return std::fabs(got - exact) <= 2e-17L * exact; }

std::array<long double, 12> const points{-7.5L, -3,    -1, -0.5L, -1e-5L, 0,
                                         1e-9L, 0.25L, 1,  2,     4.5L,   9};

}  // namespace

TEST_CASE("a divided difference over one node is the exponential") {
  for (long double const x : points) {
    CHECK(close(exp_divided_difference<1>({x}, 0.5L), std::exp(x + 0.5L)));
  }
}

TEST_CASE("a divided difference over two nodes is the slope of a chord, a tangent at most") {
  for (long double const a : points) {
    for (long double const b : points) {
      CAPTURE(static_cast<double>(a));
      CAPTURE(static_cast<double>(b));
      CHECK(close(exp_divided_difference<2>({a, b}, 0), one(a, b)));
    }
    CHECK(close(exp_divided_difference<2>({a, a}, 0), std::exp(a)));
  }
}

TEST_CASE("a divided difference over three nodes is right for distinct, close and equal nodes") {
  for (long double const a : points) {
    for (long double const b : points) {
      for (long double const c : {0.L, a, 0.3L}) {
        CAPTURE(static_cast<double>(a));
        CAPTURE(static_cast<double>(b));
        CAPTURE(static_cast<double>(c));
        CHECK(close(exp_divided_difference<3>({a, b, c}, 0), two(a, b, c)));
      }
    }
    CHECK(close(exp_divided_difference<3>({a, a, a}, 0), std::exp(a) / 2));
  }
}

TEST_CASE("a divided difference over four nodes is right for distinct, close and equal nodes") {
  for (long double const a : {-3.L, -1e-5L, 0.L, 2.L, 4.5L}) {
    for (long double const b : {-7.5L, 0.L, 1.L, 9.L}) {
      CAPTURE(static_cast<double>(a));
      CAPTURE(static_cast<double>(b));
      CHECK(close(exp_divided_difference<4>({0, a, a, b}, 0), three(0, a, a, b)));
      CHECK(close(exp_divided_difference<4>({0, a, b, b}, 0), three(0, a, b, b)));
    }
    CHECK(close(exp_divided_difference<4>({a, a, a, a}, 0), std::exp(a) / 6));
  }
}

TEST_CASE("the order of the nodes does not matter") {
  long double const x = exp_divided_difference<4>({1, -2, 0.5L, 3}, 0.1L);
  CHECK(exp_divided_difference<4>({3, 0.5L, -2, 1}, 0.1L) == x);
  CHECK(exp_divided_difference<4>({-2, 3, 1, 0.5L}, 0.1L) == x);
}

TEST_CASE("a shift multiplies by its exponential, without overflow on the way") {
  CHECK(close(exp_divided_difference<3>({0, 1, 2}, 3), std::exp(3.L) * two(0, 1, 2)));
  // e^20000 and e^-20000 leave the range, their product does not
  long double const far = exp_divided_difference<3>({20000, 20000, 20000}, -20000);
  CHECK(close(far, 0.5L));
}

TEST_CASE("a wide spread is the recurrence's, without cancellation") {
  // exp[0, 0, x] = (e^x − 1 − x)/x²
  for (long double const x : {-1000.L, -50.L, 50.L, 1000.L}) {
    long double const exact = (std::exp(x) - 1 - x) / (x * x);
    CAPTURE(static_cast<double>(x));
    CHECK(std::fabs(exp_divided_difference<3>({0, 0, x}, 0) - exact) <= 1e-17L * exact);
  }
}
