// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/divot.hpp>

#include <cmath>
#include <limits>
#include <string>

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// Off its centre by a multiple of u − 1.
struct le_cam {
  static constexpr double at_zero = .5 - 3, slope_at_infinity = .5 + 3;
  template <class T>
  static T f(T u) {
    return (T(1) - u) * (T(1) - u) / (T(2) * (T(1) + u)) + T(3) * (u - T(1));
  }
};
struct hinge {
  static constexpr bool smooth = false;
  static constexpr double at_zero = 0, slope_at_infinity = 1;
  template <class T>
  static T f(T u) {
    return max(T(0), u - T(1));
  }
};
struct concave {
  static constexpr double at_zero = -1, slope_at_infinity = 0;
  template <class T>
  static T f(T u) {
    return (u - T(1)) / (u + T(1));
  }
};

/// Calls `test(name, generator)` for every generator of the library.
template <class Test>
void for_each_generator(Test const& test) {
  using namespace divot;
  for_each_loss(catalogue{}, [&]<class L>(L const& loss) {
    if constexpr (has_generator<L>) test(describe(loss).name, generator(loss));
  });
  test("skew_js(.2)", generator(skew_js{.2}));
  test("skew_kl(.2)", generator(skew_kl{.2}));
  test("reverse(skew_kl)(.2)", generator(reverse(skew_kl{.2})));
  for (double const a : {-1., 0., 0.3, 1., 2.5}) test("alpha", generator(alpha{a}));
  for (double const k : {1., 1.5}) test("vajda", generator(vajda{k}));
  test("reverse(vajda)(3)", generator(reverse(vajda{3})));
  for (double const k : {1.5, 3.}) test("puri_vincze", generator(puri_vincze{k}));
  test("matusita(.4)", generator(matusita{.4}));
  for (double const b : {0.5, 1., 4.}) test("osterreicher_vajda", generator(osterreicher_vajda{b}));
  for (double const w : {0.25, 0.75}) test("degroot", generator(degroot{w}));
  for (double const w : {1. / 64, 0.8}) test("blended_hellinger", generator(blended_hellinger{w}));
  test("skew(pearson)(.3)", generator(skew(pearson{}, .3)));
  test("reverse(skew(neyman))(.3)", generator(reverse(skew(neyman{}, .3))));
  test("f_divergence", generator(f_divergence<le_cam>{}));
  test("f_divergence with a kink", generator(f_divergence<hinge>{}));
  test("reverse(f_divergence)", generator(reverse(f_divergence<le_cam>{})));
  test("gan", generator(gan()));
  test("cressie_read(2)", generator(cressie_read(2)));
  test("generalised_js(.2)", generator(generalised_js(.2)));
  test("2 reverse(kl)/3", generator(2 * reverse(kl{}) / 3));
  test("symmetrized(pearson)", generator(symmetrized(pearson{})));
  test("symmetrized(marton)", generator(symmetrized(marton{})));
  test("a sum", generator(.3 * kl{} + .7 * (triangular{} + f_divergence<le_cam>{})));
  test("reverse of a sum", generator(reverse(.3 * kl{} + 2 * marton{})));
  test("skew of a sum", generator(skew(.3 * kl{} + 2 * pearson{}, .2)));
}

/// Between kinks, which lie at 1, 2 and 3 and their inverses.
constexpr double places[] = {1e-3, 0.1, 0.4, 0.7, 1.3, 2.5, 7, 50};

}  // namespace

TEST_CASE("every generator is centred and convex") {
  for_each_generator([](std::string const& name, auto const& g) {
    CAPTURE(name);
    CHECK(std::abs(g.f(1.)) < 1e-15);
    CHECK(std::abs(g.slope(1.)) < 1e-15);
    double before = -infinite;
    for (double const u : places) {
      CHECK(g.slope(u) >= before - 1e-12);
      CHECK(g.curvature(u) >= 0);
      before = g.slope(u);
    }
  });
}

TEST_CASE("slopes and curvatures are derivatives") {
  for_each_generator([](std::string const& name, auto const& g) {
    for (double const u : places) {
      CAPTURE(name);
      CAPTURE(u);
      double const h = 1e-5 * u;
      double const slope = (g.f(u + h) - g.f(u - h)) / (2 * h);
      double const curvature = (g.slope(u + h) - g.slope(u - h)) / (2 * h);
      CHECK(g.slope(u) == doctest::Approx(slope).epsilon(1e-6));
      CHECK(std::abs(g.curvature(u) - curvature) <= 1e-5 * (1e-3 + std::abs(curvature)));
    }
  });
}

TEST_CASE("Fenchel: f*(f'(u)) = u f'(u) − f(u), and f* is no less anywhere") {
  for_each_generator([](std::string const& name, auto const& g) {
    for (double const u : places) {
      CAPTURE(name);
      CAPTURE(u);
      double const t = g.slope(u), attained = u * t - g.f(u);
      double const conjugate = divot::conjugate(g, t);
      CHECK(std::abs(conjugate - attained) <= 1e-10 * (1e-3 + std::abs(attained)));
      for (double const v : places) {
        CHECK(conjugate >= v * t - g.f(v) - 1e-10 * (1 + std::abs(v * t)));
      }
    }
  });
}

TEST_CASE("beyond the slopes of f a conjugate is +inf above and −f(0) below") {
  for_each_generator([](std::string const& name, auto const& g) {
    CAPTURE(name);
    if (g.slope_at_infinity < infinite) {
      CHECK(divot::conjugate(g, g.slope_at_infinity + .1) == infinite);
    }
    double const first = g.slope(1e-200);
    if (g.at_zero < infinite && std::isfinite(first)) {
      CHECK(divot::conjugate(g, first - 1) == doctest::Approx(-g.at_zero).epsilon(1e-12));
    }
  });
}

TEST_CASE("f tends to at_zero, and f(u)/u to slope_at_infinity") {
  for_each_generator([](std::string const& name, auto const& g) {
    CAPTURE(name);
    if (g.at_zero < infinite) CHECK(g.f(1e-60) == doctest::Approx(g.at_zero).epsilon(1e-3));
    if (g.slope_at_infinity < infinite) {
      CHECK(g.f(1e30) / 1e30 == doctest::Approx(g.slope_at_infinity).epsilon(1e-3));
    }
  });
}

TEST_CASE("a divergence is Σ q f(p/q) of its generator") {
  Eigen::RowVectorXd const t = 3 * Eigen::RowVectorXd::Random(9);
  Eigen::RowVectorXd const s = 3 * Eigen::RowVectorXd::Random(9);
  Eigen::RowVectorXd p(9), q(9);
  divot::softmax(divot::seq, t, p);
  divot::softmax(divot::seq, s, q);
  auto const check = [&](auto const& d) {
    auto const g = divot::generator(d);
    double sum = 0;
    for (int k = 0; k < 9; ++k) sum += q[k] * g.f(p[k] / q[k]);
    CHECK(static_cast<double>(divot::value(divot::seq, d, t, s)) ==
          doctest::Approx(sum).epsilon(1e-12));
  };
  using namespace divot;
  check(jensen_shannon{});
  check(reverse(skew_kl{.2}));
  check(osterreicher_vajda{4});
  check(puri_vincze{3});
  check(reverse(vajda{3}));
  check(degroot{.75});
  check(skew(pearson{}, .3));
  check(f_divergence<le_cam>{});
  check(f_divergence<hinge>{});
  check(gan());
  check(symmetrized(pearson{}));
  check(reverse(.3 * kl{} + 2 * marton{}));
  check(skew(.3 * kl{} + 2 * pearson{}, .2));
}

TEST_CASE("multiples keep the closed conjugates, and sums need none") {
  auto const gan = divot::generator(divot::gan());
  for (double const t : {-2., -.1, .3, .6}) {  // f-GAN's −ln(2 − e^t)
    CHECK(gan.closed_conjugate(t) == doctest::Approx(-std::log(2 - std::exp(t))).epsilon(1e-12));
  }
  auto const jeffreys = divot::generator(divot::jeffreys{});
  auto const both = divot::generator(divot::symmetrized(divot::kl{}));
  for (double const t : {-20., -.1, .3, 6.}) {
    CHECK(divot::conjugate(both, t) ==
          doctest::Approx(divot::conjugate(jeffreys, t)).epsilon(1e-10));
  }
}

TEST_CASE("a negative weight, and an own f that is none, have no generator") {
  CHECK_THROWS_WITH_AS(divot::generator(divot::kl{} - .1 * divot::marton{}),
                       "divot: generator: the weight of a term is -1; it must be positive and "
                       "finite, or f is not convex",
                       divot::error);
  CHECK_THROWS_WITH_AS(divot::generator(divot::f_divergence<concave>{}),
                       doctest::Contains("f is not convex"), divot::error);
}

TEST_CASE("a variational bound holds for any critic and is attained by f'(p/q)") {
  auto const g = divot::generator(divot::triangular{});
  double const p[] = {0.2, 0.5, 0.3}, q[] = {0.6, 0.3, 0.1};
  auto const bound = [&](double shift) {
    double sum = 0;
    for (int k = 0; k < 3; ++k) {
      double const t = g.slope(p[k] / q[k]) + shift * (k - 1);
      sum += p[k] * t - q[k] * divot::conjugate(g, t);
    }
    return sum;
  };
  double exact = 0;
  for (int k = 0; k < 3; ++k) exact += q[k] * g.f(p[k] / q[k]);
  CHECK(bound(0) == doctest::Approx(exact).epsilon(1e-12));
  for (double const shift : {-0.1, -0.01, 0.01, 0.1}) CHECK(bound(shift) < exact);
}

TEST_CASE("conjugates at the ends of their domain and of the range are no noise") {
  using namespace divot;
  auto const approx = [](double x) { return doctest::Approx(x).epsilon(1e-9); };
  CHECK(conjugate(generator(jeffreys{}), -1e18) == approx(-42.4465316738928));
  CHECK(conjugate(generator(jeffreys{}), -1e308) == approx(-710.19620864));
  auto const skew = generator(skew_kl{.1});
  double const end = skew.slope_at_infinity;
  for (double t = end; t > end - 1e-14; t = std::nextafter(t, 0.)) {
    CHECK(conjugate(skew, t) == doctest::Approx(8.1).epsilon(1e-6));
  }
  auto const sum = generator(kl{} + reverse_kl{});
  CHECK(conjugate(sum, 1000.) == infinite);
  CHECK(conjugate(generator(arithmetic_geometric{}), 200.) == infinite);
  CHECK(std::isfinite(conjugate(generator(arithmetic_geometric{}), -1e300)));
}
