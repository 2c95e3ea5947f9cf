// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Corners in which a sweep over packs could go its own way.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
matrix<T> normal(std::mt19937& bits, Eigen::Index classes, double scale) {
  std::normal_distribution<double> number(0, scale);
  matrix<T> x(1, classes);
  for (Eigen::Index k = 0; k < classes; ++k) x(0, k) = static_cast<T>(number(bits));
  return x;
}

template <class Loss>
double worst_against_seq(Loss const& loss) {
  std::mt19937 bits(7);
  double worst = 0;
  for (Eigen::Index const classes : {100, 129, 1003}) {
    for (double const temperature : {1e-8, 1e-7, 1e-6, 1e-5}) {
      for (int i = 0; i < 20; ++i) {
        auto const t = normal<float>(bits, classes, 10), s = normal<float>(bits, classes, 10);
        auto const of = [&](auto policy) {
          return double(divot::value(policy, loss, divot::logits(t, temperature),
                                     divot::logits(s, temperature)));
        };
        double const exact = of(divot::seq);
        worst = std::max(worst, std::abs(of(divot::simd) - exact) / std::abs(exact));
      }
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("logits of any size give simd what they give seq") {
  CHECK(worst_against_seq(divot::reverse_kl{}) < 1e-6);
  CHECK(worst_against_seq(divot::alpha_beta{.2, .7}) < 1e-5);
}

TEST_CASE("a row of weight 0 adds nothing, even where its loss is infinite") {
  float const inf = std::numeric_limits<float>::infinity();
  matrix<float> t(2, 3), s(2, 3);
  t << 0, -inf, 1, 1, 2, 3;
  s << 0, 1, 2, 2, 1, 0;
  std::vector<double> const weights{0, 1};
  std::vector<double> rows(2);
  divot::batch options;
  options.weights = weights;
  options.per_row = rows;
  options.reduction = divot::reduction::sum;
  float const loss = divot::value(divot::reverse_kl{}, t, s, options);
  CHECK(rows[0] == 0);
  CHECK(loss == doctest::Approx(rows[1]));
  CHECK(std::isfinite(loss));
}

TEST_CASE("mixtures with weights near 0 and 1 keep their digits near convergence") {
  // rows of two classes by their log-probabilities
  matrix<double> t(1, 2), s(1, 2);
  t << 0.3, -0.2;
  s << 0.1, 0.25;
  auto const log_of = [](matrix<double> const& x, Eigen::Index k) {
    long double const a = x(0, 0), b = x(0, 1);
    return x(0, k) - (a + std::log1p(std::exp(b - a)));
  };
  for (double const pi : {1e-6, 0.1, 0.9, 1 - 1e-6}) {
    CAPTURE(pi);
    long double const rest = 1 - static_cast<long double>(pi);
    long double skew_kl = 0, skew_js = 0;
    for (Eigen::Index k : {0, 1}) {
      long double const p = std::exp(log_of(t, k)), q = std::exp(log_of(s, k));
      skew_kl -= p * std::log1p(rest * (q / p - 1));
      skew_js -= pi * p * std::log1p(rest * (q / p - 1)) + rest * q * std::log1p(pi * (p / q - 1));
    }
    // skew_kl's ell² term is of order (1 − π)², what it is taken from of order 1 − π
    double const allowed = 1e-14 + 1e-16 / static_cast<double>(rest);
    CHECK(std::abs(divot::value(divot::skew_kl{pi}, t, s) / skew_kl - 1) < allowed);
    CHECK(std::abs(divot::value(divot::skew_js{pi}, t, s) / skew_js - 1) < 1e-14);
  }
}
