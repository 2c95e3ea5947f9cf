// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Functions of Σ p^a q^{1−a} where that sum leaves the range of every type, or has classes missing.

#include <doctest/doctest.h>
#include <divot/divot.hpp>

#include <cmath>
#include <limits>

namespace {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double inf = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE_TEMPLATE("a missing class adds nothing to a small sum of powers", T, float, double) {
  matrix<T> t(1, 3), s(1, 3), gradient(1, 3);
  t << T(-inf), 0, 0;
  s << 0, -5, -6;
  double const z = 1 + std::exp(-5.) + std::exp(-6.);
  double const sum = std::sqrt(.5 / z) * (std::exp(-2.5) + std::exp(-3.));
  auto const check = [&](auto policy) {
    double const loss = divot::value_and_gradient(policy, divot::renyi{.5}, t, s, gradient);
    CHECK(loss == doctest::Approx(-2 * std::log(sum)).epsilon(1e-6));
    CHECK(gradient(0, 0) == doctest::Approx(1 / z).epsilon(1e-6));
    CHECK(std::abs(gradient.sum()) < 1e-6);
  };
  check(divot::seq);
  check(divot::simd);
}

TEST_CASE_TEMPLATE("distributions that nearly exclude each other are a finite distance apart", T,
                   float, double) {
  matrix<T> t(1, 2), s(1, 2), gradient(1, 2);
  t << 0, T(-1e5);
  s << T(-1e5), 0;
  auto const check = [&](auto policy) {
    double const loss = divot::value_and_gradient(policy, divot::renyi{.5}, t, s, gradient);
    CHECK(loss == doctest::Approx(1e5 - 2 * std::log(2.)).epsilon(1e-6));
    CHECK(gradient(0, 0) == T(-.5));
    CHECK(gradient(0, 1) == T(.5));
  };
  check(divot::seq);
  check(divot::simd);
}

TEST_CASE_TEMPLATE("a class that only the teacher has decides the slope, however small its share",
                   T, float, double) {
  matrix<T> t(1, 3), s(1, 3), gradient(1, 3);
  t << 0, T(1e5), 0;  // its share, e^−100000, is below every type
  s << T(-inf), 0, 1;
  double const z = 1 + std::exp(1.);
  auto const check = [&](auto policy, double order) {
    double const loss = divot::value_and_gradient(policy, divot::renyi{order}, t, s, gradient);
    CHECK(loss == inf);
    CHECK(gradient(0, 0) == T(-1));
    CHECK(gradient(0, 1) == doctest::Approx(1 / z).epsilon(1e-6));
    CHECK(gradient(0, 2) == doctest::Approx(std::exp(1.) / z).epsilon(1e-6));
  };
  for (double const order : {2., 3., inf}) {
    check(divot::seq, order);
    check(divot::simd, order);
  }
}

TEST_CASE_TEMPLATE("a function's slope may leave the range where the gradient does not", T, float,
                   double) {
  // S = Σ p²/q is nearly p₀²/q₀, and the loss 2(1 − S^{−1/2})
  matrix<T> t(1, 2), s(1, 2), gradient(1, 2);
  t << 0, 1;
  s << -75, 0;
  double const p = 1 / (1 + std::exp(1.)), slope = std::exp(-37.5) / p;
  // S = Σ √(pq) = 2e^{−31}, and the loss S^{−2} − 1
  matrix<T> far_t(1, 2), far_s(1, 2), steep(1, 2);
  far_t << 0, -62;
  far_s << -62, 0;
  double const loss = std::exp(62.) / 4;
  auto const check = [&](auto policy) {
    divot::gradient(policy, divot::sharma_mittal{.order = 2, .degree = .5}, t, s, gradient);
    CHECK(gradient(0, 0) == doctest::Approx(-slope).epsilon(1e-5));
    CHECK(gradient(0, 1) == doctest::Approx(slope).epsilon(1e-5));
    double const got = divot::value_and_gradient(
        policy, divot::sharma_mittal{.order = .5, .degree = 2}, far_t, far_s, steep);
    CHECK(got == doctest::Approx(loss).epsilon(1e-5));
    CHECK(steep(0, 0) == doctest::Approx(-loss / 2).epsilon(1e-5));
    CHECK(steep(0, 1) == doctest::Approx(loss / 2).epsilon(1e-5));
  };
  check(divot::seq);
  check(divot::simd);
}

TEST_CASE("where the slope of a function is infinite, a temperature below 1 makes no NaN") {
  matrix<double> t(1, 3), s(1, 3), gradient(1, 3);
  t << 0, 0, 0;
  s << -4.6e141, -1.5e43, 0;
  double const loss =
      divot::value_and_gradient(divot::sharma_mittal{.order = 3, .degree = 1.1},
                                divot::logits(t, 600), divot::logits(s, 1e-3), gradient);
  CHECK(loss == inf);
  CHECK(gradient(0, 0) == -inf);
  CHECK(gradient(0, 1) == 0);
  CHECK(gradient(0, 2) == inf);
}

TEST_CASE("at order 0 a class that only the student has costs without bound") {
  matrix<double> t(1, 3), s(1, 3), gradient(1, 3);
  t << -inf, 0, 1;
  s << 0, 1, 2;
  double const loss = divot::value_and_gradient(divot::log_alpha_beta{0, .5}, t, s, gradient);
  CHECK(loss == inf);
  CHECK(gradient(0, 0) == inf);
  CHECK(gradient(0, 1) == -inf);
  CHECK(gradient(0, 2) == -inf);
}
