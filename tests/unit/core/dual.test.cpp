// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/core/dual.hpp>
#include <divot/team/xsimd_lanes.hpp>

#include <cmath>
#include <limits>

namespace {

using number = divot::dual_number<double>;

number variable(double x) { return {x, 1.}; }

/// f at x: its value must be `value`, its slope that of a four-point difference.
template <class F>
void follows(F const& f, double (*value)(double), double x) {
  CAPTURE(x);
  number const y = f(variable(x));
  CHECK(y.value == doctest::Approx(value(x)).epsilon(1e-14));
  double const h = 1e-3;
  double const slope =
      (8 * (value(x + h) - value(x - h)) - (value(x + 2 * h) - value(x - 2 * h))) / (12 * h);
  CHECK(y.slope == doctest::Approx(slope).epsilon(1e-9));
}

}  // namespace

TEST_CASE("arithmetic follows the rules of differentiation") {
  for (double const x : {0.3, 1., 2.5}) {
    follows([](number u) { return u + u * u; }, [](double u) { return u + u * u; }, x);
    follows([](number u) { return 2 - u; }, [](double u) { return 2 - u; }, x);
    follows([](number u) { return -u * 3 + +u; }, [](double u) { return -2 * u; }, x);
    follows([](number u) { return u / (1 + u); }, [](double u) { return u / (1 + u); }, x);
    follows([](number u) { return 1 / u; }, [](double u) { return 1 / u; }, x);
    follows(
        [](number u) {
          number y = u;
          y += 2;
          y *= u;
          y -= 1;
          y /= u + 3;
          return y;
        },
        [](double u) { return ((u + 2) * u - 1) / (u + 3); }, x);
  }
}

TEST_CASE("elementary functions carry their derivatives") {
  for (double const x : {0.2, 0.9, 1.7}) {
    follows([](number u) { return exp(u); }, [](double u) { return std::exp(u); }, x);
    follows([](number u) { return expm1(u); }, [](double u) { return std::expm1(u); }, x);
    follows([](number u) { return log(u); }, [](double u) { return std::log(u); }, x);
    follows([](number u) { return log1p(u); }, [](double u) { return std::log1p(u); }, x);
    follows([](number u) { return sqrt(u); }, [](double u) { return std::sqrt(u); }, x);
    follows([](number u) { return pow(u, 2.5); }, [](double u) { return std::pow(u, 2.5); }, x);
    follows([](number u) { return pow(u, -0.3); }, [](double u) { return std::pow(u, -0.3); }, x);
    follows([](number u) { return exp(sqrt(u) * log(u)); },
            [](double u) { return std::exp(std::sqrt(u) * std::log(u)); }, x);
  }
}

TEST_CASE("abs, max and min take the slope of the branch they choose") {
  CHECK(abs(variable(-2)).value == 2);
  CHECK(abs(variable(-2)).slope == -1);
  CHECK(abs(variable(2)).slope == 1);
  CHECK(abs(variable(0)).value == 0);
  CHECK(abs(variable(0)).slope == 0);
  for (double const x : {1., 4.}) {
    number const u = variable(x), most = max(u, number(3) * u - 4), least = min(u, number(2));
    CHECK(most.value == std::max(x, 3 * x - 4));
    CHECK(most.slope == (x < 3 * x - 4 ? 3 : 1));
    CHECK(least.value == std::min(x, 2.));
    CHECK(least.slope == (x < 2 ? 1 : 0));
  }
}

TEST_CASE("a constant has slope 0") {
  number const c = 2.5;
  CHECK(c.value == 2.5);
  CHECK(c.slope == 0);
  CHECK((c * c).slope == 0);
}

TEST_CASE("slopes of functions on packs are those on numbers, lane by lane") {
  using V = divot::pack<double>;
  using traits = divot::lane_traits<V>;
  std::array<double, traits::size> x;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.25 + static_cast<double>(i) / 3;
  auto const f = [](auto const& u) {
    return u * log(u) - u + pow(u, 1.5) / sqrt(u + 1.) + exp(-u);
  };
  auto const y = f(divot::dual_number<V>(traits::load(x.data()), V(1.)));
  auto const values = traits::to_array(y.value), slopes = traits::to_array(y.slope);
  for (std::size_t i = 0; i < x.size(); ++i) {
    number const right = f(variable(x[i]));
    CHECK(values[i] == doctest::Approx(right.value).epsilon(1e-14));
    CHECK(slopes[i] == doctest::Approx(right.slope).epsilon(1e-14));
  }
}
