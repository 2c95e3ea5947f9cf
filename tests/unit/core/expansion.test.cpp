// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/core/expansion.hpp>
#include <divot/team/xsimd_lanes.hpp>

#include <cmath>
#include <limits>

namespace {

using number = divot::expansion_at_zero<double>;

/// f and its slope against plain dual numbers, at u and as a function of 1/u.
template <class F>
void follows(F const& f, double limit) {
  for (double const u : {0.3, 0.9, 1., 0.1}) {
    CAPTURE(u);
    divot::dual_number<double> const plain = f(divot::dual_number<double>(u, 1.));
    number const split = number(f(number::variable(u))).settled();
    CHECK(split.value(u) == doctest::Approx(plain.value).epsilon(1e-13));
    CHECK(split.slope() == doctest::Approx(plain.slope).epsilon(1e-13));
    CHECK(split.excess(limit) ==
          doctest::Approx(plain.value - u * plain.slope - limit).epsilon(1e-12));

    divot::dual_number<double> const back = f(divot::dual_number<double>(1 / u, -1 / (u * u)));
    number const far = number(f(number::reciprocal(u))).settled();
    CHECK(far.value(u) == doctest::Approx(back.value).epsilon(1e-13));
    CHECK(far.slope() == doctest::Approx(back.slope).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("an expansion has the value and slope of the function") {
  follows([](auto u) { return u * u - 2. * u + 3.; }, 3);
  follows([](auto u) { return (1. - u) * (1. - u) / (2. * (1. + u)); }, .5);
  follows([](auto u) { return u / (u + u * u) + 1. / u; }, 0);
  follows([](auto u) { return u * log(u) - (u + 1.) * log((u + 1.) / 2.); }, std::log(2.));
  follows([](auto u) { return (sqrt(u) - 1.) * (sqrt(u) - 1.); }, 1);
  follows([](auto u) { return sqrt(1. + u) + sqrt(u * u + u * u * u); }, 1);
  follows([](auto u) { return pow(2. + u, 1.3) - pow(u, .3) + pow(u, 2.); }, std::pow(2., 1.3));
  follows([](auto u) { return exp(-u) + expm1(u * u) + log1p(3. * u); }, 1);
  follows([](auto u) { return abs(u - 2.) + abs(3. - u) + max(u, 0.5 * u) - min(4. - u, u); }, 5);
  follows([](auto u) { return exp(-1. / (1. + u)) / (u * u + 1.); }, std::exp(-1.));
}

TEST_CASE("what a function does beyond its limit keeps its digits at any u") {
  for (double const u : {1e-3, 1e-9, 1e-30, 1e-150}) {
    CAPTURE(u);
    auto const x = number::variable(u);
    // f − u f' − f(0) of (1 − u)²/(2(1 + u)), of u ln u and of √
    CHECK(((1. - x) * (1. - x) / (2. * (1. + x))).excess(.5) ==
          doctest::Approx(-2 * u * u / ((1 + u) * (1 + u))).epsilon(1e-14));
    CHECK((x * log(x) + 1.).excess(1) == doctest::Approx(-u).epsilon(1e-13));
    CHECK((1. - 2. * sqrt(x) + x).excess(1) == doctest::Approx(-std::sqrt(u)).epsilon(1e-14));
    CHECK(pow(1. + x, .5).excess(1) ==
          doctest::Approx(u * u / 8 - u * u * u / 8).epsilon(u < 1e-4 ? 1e-10 : 1e-5));
    CHECK(log(2. + x).excess(std::log(2.)) == doctest::Approx(u * u / 8).epsilon(2 * u));
    // the slope of u f(1/u) at 0, where f(1/u) is a difference of numbers like 1/u
    auto const t = number::reciprocal(u);
    auto const flipped = (x * ((1. - t) * (1. - t) / (2. * (1. + t)))).settled();
    CHECK(flipped.slope() ==
          doctest::Approx(.5 * (u - 1) * (u + 3) / ((1 + u) * (1 + u))).epsilon(1e-14));
    CHECK((x * abs(t - 1.)).settled().slope() == -1);
  }
}

TEST_CASE("packs of lanes agree with scalars") {
  using pack = divot::pack<double>;
  using wide = divot::expansion_at_zero<pack>;
  auto const f = [](auto u) { return log(1. + u) * sqrt(2. + u) / (1. + u * u) + abs(u - .5); };
  for (double const u : {1e-20, 1e-3, .4, .6, 1.}) {
    CAPTURE(u);
    auto const one = number(f(number::variable(u))).settled();
    auto const many = wide(f(wide::variable(pack(u)))).settled();
    auto const at = [](pack const& v) { return divot::lane_traits<pack>::to_array(v)[0]; };
    CHECK(at(many.value(pack(u))) == doctest::Approx(one.value(u)).epsilon(1e-14));
    CHECK(at(many.slope()) == doctest::Approx(one.slope()).epsilon(1e-13));
    CHECK(at(many.excess(.5)) == doctest::Approx(one.excess(.5)).epsilon(1e-12));
  }
}
