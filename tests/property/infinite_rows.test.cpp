// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Rows whose loss is infinite: entries that have a limit keep it, also where terms are added up.

#include <doctest/doctest.h>
#include <divot/divot.hpp>

#include <cmath>
#include <limits>

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
using matrix = Eigen::Matrix<double, 1, 3, Eigen::RowMajor>;

template <class Loss>
matrix gradient_of(Loss const& loss, matrix const& t, matrix const& s, double value = inf) {
  matrix g;
  double const got = divot::value_and_gradient(loss, t, s, g);
  CHECK(got == value);
  return g;
}

void same(matrix const& got, matrix const& expected) {
  for (int k = 0; k < 3; ++k) {
    CAPTURE(k);
    if (std::isinf(expected(0, k))) {
      CHECK(got(0, k) == expected(0, k));
    } else {
      CHECK(got(0, k) == doctest::Approx(expected(0, k)).epsilon(1e-12));
    }
  }
}

}  // namespace

TEST_CASE("a sum's gradient keeps the entry of a class that the student does not have") {
  matrix t, s, expected;
  t << 0, 1, -inf;
  s << -inf, 0, 1;
  double const p0 = 1 / (1 + std::exp(1.));
  expected << -p0, -inf, inf;
  same(gradient_of(divot::kl{} + divot::reverse_kl{}, t, s), expected);
  same(gradient_of(divot::jeffreys{}, t, s), expected);
  same(gradient_of(divot::symmetrized(divot::kl{}), t, s), expected);
}

TEST_CASE("where one class has all of the student's probability, kl's part of a sum is left") {
  matrix t, s, expected;
  t << 0, -inf, -inf;
  s << -inf, 0, -inf;
  expected << -1, 1, 0;
  same(gradient_of(divot::kl{}, t, s), expected);
  same(gradient_of(divot::kl{} + divot::reverse_kl{}, t, s), expected);
  same(gradient_of(divot::jeffreys{}, t, s), expected);
  same(gradient_of(divot::reverse_kl{}, t, s), matrix::Zero());
}

TEST_CASE("next to order 1 an infinite sum of powers has its limits, as further off") {
  matrix t, s;
  t << 0, 1, 2;
  s << 0, -inf, 1;
  double const q0 = 1 / (1 + std::exp(1.));
  matrix expected;
  expected << q0, -1, 1 - q0;
  for (double const beyond : {1e-15, 1e-12, 1e-9, 1e-8, 1e-7, 1.}) {
    CAPTURE(beyond);
    same(gradient_of(divot::renyi{1 + beyond}, t, s), expected);
  }
  same(gradient_of(divot::log_alpha_beta{1, -1e-12}, t, s), expected);
  matrix const g = gradient_of(divot::sharma_mittal{1 + 1e-9, .5}, t, s, 2);
  CHECK(g == matrix::Zero());
  s << 0, -1e20, 1;
  CHECK(double(divot::value(divot::renyi{1 + 1e-12}, t, s)) == doctest::Approx(1e20));
}

TEST_CASE("orders whose square leaves the range are as good as infinite") {
  matrix t, s;
  t << 0, 1, 2;
  s << .1, .2, .3;
  for (double const order : {1e155, 1e308}) {
    same(gradient_of(divot::renyi{order}, t, t, 0), matrix::Zero());
    CHECK(double(divot::value(divot::renyi{order}, t, s)) ==
          doctest::Approx(double(divot::value(divot::renyi{inf}, t, s))));
  }
}

TEST_CASE("a derivative in the temperature that infinite entries leave open is NaN, never 0") {
  matrix t, s, g;
  t << 0, 2, -inf;
  s << 0, 1, 3;
  divot::temperature_gradient by;
  auto const where = divot::gradients().student(g).temperature(by);
  divot::value_and_gradient(divot::reverse_kl{}, t, s, where);
  CHECK(g(0, 0) == -inf);
  CHECK(g(0, 2) == inf);
  CHECK(std::isnan(by.student));
  divot::value_and_gradient(0. * divot::reverse_kl{}, t, s, where);
  CHECK(by.student == 0);
}
