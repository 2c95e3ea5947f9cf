// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Corners in which a sweep over packs, a pullback or an option could go its own way.

#include <doctest/doctest.h>
#include <divot/divot.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
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

TEST_CASE_TEMPLATE("powers that leave the range are noticed, in short rows and long ones", T, float,
                   double) {
  // (α, β) = (1, −1): Σ u − ln u − 1 for u = p/q; (−2, ½): p^−2 takes the rare class beyond T
  T const inf = std::numeric_limits<T>::infinity();
  for (Eigen::Index const padding : {0, 200}) {
    matrix<T> t = matrix<T>::Constant(1, 3 + padding, -inf), s = t, g = t;
    t.leftCols(3) << -inf, 0, 1;
    s.leftCols(3) << -inf, -100, 0;
    double const u = std::exp(100.0) / (1 + std::exp(1.0));
    for (auto const& loss :
         {divot::value_and_gradient(divot::seq, divot::alpha_beta{1, -1}, t, s, g),
          divot::value_and_gradient(divot::alpha_beta{1, -1}, t, s, g)}) {
      if (std::is_same_v<T, float>) {
        CHECK(loss.value == inf);
        CHECK(g(0, 2) == inf);
        CHECK(g(0, 1) == -inf);
      } else {
        CHECK(double(loss.value) == doctest::Approx(u).epsilon(1e-6));
        CHECK(double(g(0, 2)) == doctest::Approx(u).epsilon(1e-6));
      }
    }
  }
  for (Eigen::Index const classes : {100, 200}) {
    matrix<T> t = matrix<T>::Zero(1, classes), s = t, g = t;
    t(0, 0) = std::is_same_v<T, float> ? T(-42) : T(-350.5);
    std::vector<double> loss(1);
    divot::value_and_gradient(divot::alpha_beta{-2, .5}, t, s, g, {.per_row = loss});
    // its one large term: −p^−2 q^½/(αβ) + p^(−3/2)/(βλ), the first of which is larger by far
    double const log_p = double(t(0, 0)) - std::log(double(classes) - 1),
                 log_q = -std::log(double(classes));
    double const exponent = -2 * log_p + .5 * log_q;
    CHECK(std::log(loss[0]) == doctest::Approx(exponent).epsilon(1e-3));
    CHECK(g(0, 0) > T(1e30));
    for (Eigen::Index k = 1; k < classes; ++k) CHECK(g(0, k) < -1);
  }
}

TEST_CASE("a gradient just inside the range has no NaN when its loss is outside") {
  matrix<float> t = matrix<float>::Zero(1, 129), s = t, g = t;
  s(0, 0) = 112;
  s.rightCols(64).setConstant(1);
  for (bool const sequential : {true, false}) {
    if (sequential) {
      divot::gradient(divot::seq, divot::alpha_beta{.25, -.75}, t, s, g);
    } else {
      divot::gradient(divot::alpha_beta{.25, -.75}, t, s, g);
    }
    CHECK(double(g(0, 0)) == doctest::Approx(3.3833346829726037e38).epsilon(1e-6));
    CHECK(double(g(0, 1)) == doctest::Approx(-3.590451326338767e36).epsilon(1e-6));
  }
}

TEST_CASE("a loss inside the range is found though the logits' difference is outside") {
  matrix<float> t(1, 3), s(1, 3), gradient(1, 3);
  t << 0, 1.5e36f, 0;
  s << -3.394e38f, -3.394e38f, 0;
  auto const check = [&](auto policy) {
    float const loss = divot::value_and_gradient(policy, divot::alpha_beta{1, 0}, t,
                                                 divot::log_probabilities(s), gradient);
    CHECK(loss == doctest::Approx(3.394e38).epsilon(1e-6));
    CHECK(gradient(0, 1) == -1);
    CHECK(gradient(0, 2) == 1);
  };
  check(divot::seq);
  check(divot::simd);
}

TEST_CASE_TEMPLATE("a smoothing that a class's share of rounds to 0 still asks for every class", T,
                   float, double) {
  matrix<T> s(1, 8), gradient(1, 8);
  s << 0, 1, 2, 0, 1, 2, 0, -std::numeric_limits<T>::infinity();
  std::array<std::int64_t, 1> const labels{2};
  double const least = std::numeric_limits<double>::denorm_min();
  for (double const smoothing : {least, 1e-300, .1}) {
    for (bool const sequential : {true, false}) {
      divot::cross_entropy const what{.smoothing = smoothing};
      divot::batch options;
      options.labels = labels;
      T const loss = sequential
                         ? divot::value_and_gradient(divot::seq, what, s, s, gradient, options)
                         : divot::value_and_gradient(what, s, s, gradient, options);
      CHECK(loss == std::numeric_limits<T>::infinity());
      CHECK(gradient.array().isFinite().all());
    }
  }
}

TEST_CASE("masks as large as the type allows keep what is left of their difference") {
  float const most = std::numeric_limits<float>::max();
  matrix<float> t(1, 3), s(1, 3), g(1, 3);
  t << -3.4f, 1.07f, -most;
  s << 0.3f, 1.2f, -most;
  auto const itakura_saito = [&](auto policy) {
    float const loss = divot::value_and_gradient(policy, divot::alpha_beta{1, -1}, t, s, g);
    CHECK(loss == doctest::Approx(2.4642029470667252));
    CHECK(g(0, 0) == doctest::Approx(0.9647523102202632));
    CHECK(g(0, 2) == doctest::Approx(-0.583712176616869));
  };
  itakura_saito(divot::seq);
  itakura_saito(divot::simd);
}

TEST_CASE("near total degree 1 a confident row keeps the slopes' small differences") {
  // two classes share the student's mass, and the teacher has none there
  matrix<float> t(1, 10), s(1, 10), g(1, 10);
  t << 9.33656025f, -16.5899754f, -3.50476217f, 15.6741734f, 8.27489853f, -25.2282848f, 35.8720971f,
      -8.45087147f, 0.0711670369f, 28.8306026f;
  s << -38.0670013f, 13.8481884f, -30.338747f, -15.8622065f, -0.301568717f, 12.0501432f,
      -5.74210358f, -39.0330238f, 13.5578623f, 4.43924475f;
  matrix<double> const wide_t = t.cast<double>(), wide_s = s.cast<double>();
  matrix<double> exact(1, 10);
  for (double const beta : {.8, .7 + 1e-8, .701, .75}) {
    divot::alpha_beta const loss{.3, beta};
    divot::gradient(divot::seq, loss, wide_t, wide_s, exact);
    divot::gradient(divot::simd, loss, t, s, g);
    CHECK((g.cast<double>() - exact).norm() < 1e-6 * exact.norm());
  }
}

TEST_CASE("rows across lanes do not lose digits to the number of their classes") {
  std::mt19937 bits(11);
  auto const worst = [&](auto const& loss) {
    double largest = 0;
    for (int i = 0; i < 300; ++i) {
      auto const t = normal<float>(bits, 128, .5), s = normal<float>(bits, 128, .5);
      matrix<double> const wide_t = t.cast<double>(), wide_s = s.cast<double>();
      matrix<double> exact(1, 128);
      matrix<float> g(1, 128);
      divot::gradient(loss, wide_t, wide_s, exact);
      divot::gradient(loss, t, s, g);
      largest = std::max(largest, (g.cast<double>() - exact).norm() / exact.norm());
    }
    return largest;
  };
  CHECK(worst(divot::kl{}) < 1e-6);
  CHECK(worst(divot::alpha_beta{1, 1}) < 1e-6);
  CHECK(worst(divot::alpha_beta{.2, .7}) < 1e-6);
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

TEST_CASE("logits that only the temperature takes out of the range lose no class") {
  matrix<float> t(1, 3), s(1, 3);
  t << 3.5e35f, 0, 0;
  s << 0, 2019, 1873;
  // the student's probability of all but the first
  CHECK(divot::value(divot::seq, divot::marton{}, divot::logits(t, 1e-3),
                     divot::logits(s, 169.9)) == doctest::Approx(1));
  t.setZero();
  s << 6e35f, 0, 0;
  std::vector<double> rows(1);
  divot::value(divot::seq, divot::alpha{1}, divot::logits(t, 1e-3), divot::logits(s, 1e-3),
               {.per_row = rows});
  CHECK(rows[0] == doctest::Approx(4e38));
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

TEST_CASE("labels keep their distribution at a term's temperature") {
  using T = float;
  std::vector<int> const y{2, 0};
  for (Eigen::Index const classes : {3, 200}) {
    matrix<T> s = matrix<T>::Random(2, classes), g(2, classes), h(2, classes);
    for (double const smoothing : {0., 0.2}) {
      auto const given = divot::labels(y, smoothing);
      auto const a = divot::value_and_gradient(divot::at(4, divot::kl{}), given, s, g);
      auto const b = divot::value_and_gradient(divot::kl{}, given, divot::logits(s, 4), h);
      CHECK(double(a.value) == doctest::Approx(double(b.value)).epsilon(1e-5));
      CHECK((g - h).norm() <= T(1e-5) * h.norm());
    }
  }
}

TEST_CASE("an infinite loss of probabilities has a gradient without NaN") {
  double const inf = std::numeric_limits<double>::infinity();
  matrix<double> t(1, 3), q(1, 3), g(1, 3);
  auto const gradient_is = [&](auto policy, auto const& loss, double a, double b, double c) {
    divot::gradient(policy, loss, t, divot::probabilities(q), g);
    CHECK(g(0, 0) == a);
    CHECK(g(0, 1) == b);
    CHECK(g(0, 2) == c);
  };
  t << -inf, 0, 1;
  q << .25, .25, .5;
  gradient_is(divot::simd, divot::reverse_kl{}, inf, -inf, -inf);
  gradient_is(divot::seq, divot::reverse_kl{}, inf, -inf, -inf);
  gradient_is(divot::seq, .5 * divot::kl{} + .5 * divot::reverse_kl{}, inf, -inf, -inf);
  t << 0, 0, 1;
  q << 0, .25, .75;
  gradient_is(divot::seq, divot::pearson{}, -inf, inf, inf);
}

TEST_CASE("probabilities are taken as they are given") {
  // sums that differ from 1 within the tolerance
  matrix<float> p(1, 2), q(1, 2);
  p << 1, 1e-9f;
  q << 1, 3e-9f;
  double const difference = double(q(0, 1)) - double(p(0, 1));
  auto const of = [&](auto const& loss) {
    return double(divot::value(divot::seq, loss, divot::probabilities(p), divot::probabilities(q)));
  };
  CHECK(of(divot::total_variation{}) == doctest::Approx(.5 * difference).epsilon(1e-6));
  CHECK(of(divot::alpha_beta{1, 1}) == doctest::Approx(.5 * difference * difference).epsilon(1e-6));
}

namespace {
struct own_kl {
  static constexpr double at_zero = 0, slope_at_infinity = divot::unbounded;
  template <class T>
  static T f(T u) {
    return u * log(u);
  }
};
}  // namespace

TEST_CASE("an own f is called with ratios beyond the range of float") {
  matrix<float> t(1, 2), s(1, 2), g(1, 2), h(1, 2);
  t << 150, 0;
  s << 0, 150;
  double const own = divot::value_and_gradient(divot::f_divergence<own_kl>{}, t, s, g);
  double const built = divot::value_and_gradient(divot::kl{}, t, s, h);
  CHECK(own == doctest::Approx(built).epsilon(1e-6));
  CHECK((g - h).norm() <= 1e-6f * h.norm());
}

TEST_CASE("a short row near convergence is corrected to the last digit") {
  matrix<float> t(1, 10), s(1, 10), g(1, 10), h(1, 10);
  t << 35.4508476f, -44.538456f, 20.226265f, 53.9326973f, 23.345459f, -43.3991165f, -13.4882841f,
      44.6455536f, -41.0841866f, -12.3909893f;
  s << 35.4008484f, -44.5884552f, 20.1762657f, 53.8826981f, 23.2954597f, -43.4491158f, -13.5382843f,
      44.5955544f, -41.1341858f, -12.4409895f;
  auto const check = [&](auto const& loss) {
    double const fast =
        divot::value_and_gradient(divot::simd, loss, divot::logits(t, 3), divot::logits(s, 3), g);
    double const right =
        divot::value_and_gradient(divot::seq, loss, divot::logits(t, 3), divot::logits(s, 3), h);
    CHECK(fast == doctest::Approx(right).epsilon(1e-5));
    CHECK((g - h).norm() <= 1e-6f * h.norm());
  };
  check(divot::total_variation{});
  check(divot::alpha_beta{1, 1});
  check(divot::alpha_beta{.2, .7});
}

TEST_CASE("rows of weight 0 leave the derivatives in alpha and beta alone") {
  float const inf = std::numeric_limits<float>::infinity();
  matrix<float> t(2, 3), s(2, 3);
  t << 0, 1, 2, -inf, 1, 0;
  s << 1, 0, 2, 0, 0, 1;
  std::vector<double> const weights{1, 0};
  std::array<double, 2> both{}, first{};
  divot::gradient(divot::alpha_beta{0, 1}, t, s, divot::gradients().parameters(both),
                  {.reduction = divot::reduction::sum, .weights = weights});
  divot::gradient(divot::alpha_beta{0, 1}, t.topRows(1), s.topRows(1),
                  divot::gradients().parameters(first), {.reduction = divot::reduction::sum});
  CHECK(both == first);
}

TEST_CASE_TEMPLATE("the pullback of log_softmax keeps its digits where a class has all", T, float,
                   double) {
  matrix<T> y(1, 2), up(1, 2), out(1, 2);
  y << T(-1e-9), T(-20.7232658);
  up << 1, 0;
  divot::log_softmax_pullback(y, up, out);
  CHECK(out(0, 0) == doctest::Approx(1e-9).epsilon(1e-6));
  CHECK(out(0, 1) == doctest::Approx(-1e-9).epsilon(1e-6));
}

TEST_CASE("pullbacks take a temperature a row") {
  matrix<double> x = matrix<double>::Random(2, 5), up = matrix<double>::Random(2, 5), y(2, 5),
                 out(2, 5), one(1, 5);
  std::vector<double> const temperatures{.5, 4};
  divot::softmax(x, y, {.temperatures = temperatures});
  divot::softmax_pullback(y, up, out, 1, {.temperatures = temperatures});
  for (Eigen::Index r : {0, 1}) {
    divot::softmax_pullback(y.row(r), up.row(r), one, temperatures[static_cast<std::size_t>(r)]);
    CHECK(out.row(r) == one);
  }
}

TEST_CASE(
    "a row of weight 0 adds no gradient to a student of probabilities, where it is infinite") {
  matrix<double> p(1, 3), q(1, 3), g(1, 3);
  p << 0, 0, 1;
  q << 1, 0, 0;
  std::vector<double> const weights{0};
  auto const check = [&](auto policy) {
    divot::gradient(policy, divot::jensen_shannon{}, divot::probabilities(p),
                    divot::probabilities(q), g);
    CHECK(g(0, 2) == -std::numeric_limits<double>::infinity());
    divot::gradient(policy, divot::jensen_shannon{}, divot::probabilities(p),
                    divot::probabilities(q), g, {.weights = weights});
    CHECK(g == matrix<double>::Zero(1, 3));
  };
  check(divot::seq);
  check(divot::simd);
}

TEST_CASE("a teacher that the loss does not look at may hold anything, and is never blamed") {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  matrix<float> const t = matrix<float>::Constant(2, 5, nan);
  matrix<float> s = matrix<float>::Zero(2, 5), g = s;
  std::vector<std::int64_t> const labels{1, 4};
  for (auto const when : {divot::check::each_row, divot::check::first}) {
    s(1, 3) = 0;
    divot::batch const options{.labels = labels, .check = when};
    CHECK(double(divot::value_and_gradient(divot::cross_entropy{}, t, s, g, options).value) ==
          doctest::Approx(std::log(5.)));
    s(1, 3) = nan;
    try {
      divot::value_and_gradient(divot::cross_entropy{}, t, s, g, options);
      FAIL_CHECK("NaN was accepted");
    } catch (divot::bad_value const& e) {
      CHECK(e.row() == 1);
      CHECK(e.column() == 3);
      CHECK(std::string(e.what()).find("student") != std::string::npos);
    }
  }
}
