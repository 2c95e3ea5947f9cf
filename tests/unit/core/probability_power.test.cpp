// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Powers of probabilities against the standard library in long double.

#include <doctest/doctest.h>
#include <divot/core/probability_power.hpp>

#include <unit/core/lanes.hpp>

#include <algorithm>
#include <cmath>

namespace {

using lanes::limits;
namespace math = divot::math;

struct exponents {
  double a, b;
};
constexpr exponents pairs[] = {{1, 0},   {0, 1},      {0.2, 0.7}, {0.8, 0.3}, {-0.5, 1.5},
                               {0, 0.9}, {3.7, -2.9}, {1e-9, 1},  {0, 0}};

constexpr math::row_probability<double> row_p{3.25, 0.7, 0, 0.4}, row_q{-1.5, 0.7, 0, 2.5};

long double log_of(math::row_probability<double> const& p, double x) {
  return (static_cast<long double>(x) - static_cast<long double>(p.max)) *
             static_cast<long double>(p.rate) -
         static_cast<long double>(p.log_z);
}

template <class V>
divot::scalar_of<V> first(V const& v) {
  if constexpr (divot::lane_traits<V>::is_pack) {
    return divot::lane_traits<V>::to_array(v)[0];
  } else {
    return v;
  }
}

/// The error of a power in ulps; 0 where it overflows, which callers rule out, and where a result
/// close to the smallest normal number is lost in part.
template <class T>
double error(T got, long double log_exact) {
  long double const exact = std::exp(log_exact);
  if (exact > static_cast<long double>(limits<T>::max()) / 2) return 0;
  T const least = 4 * limits<T>::min();
  if (exact < static_cast<long double>(least)) {
    return got >= 0 && got <= least ? 0 : limits<double>::infinity();
  }
  return lanes::ulps(got, exact);
}

/// The largest errors of p^a q^b and of p^a over many classes.
template <class T, class V>
std::array<double, 2> worst_powers(double a, double b) {
  math::probability_power<V, double> const p(row_p, a), q(row_q, b);
  math::power_product<V, double> const both(p, q);
  std::array<double, 2> worst{0, 0};
  for (T const x : lanes::between<T>(-200, 3)) {
    long double const log_p = log_of(row_p, x);
    worst[1] = std::max(worst[1], error<T>(first(p(p.raised(V(x)))), a * log_p));
    for (T const y : {T(-1.5), T(-2.25), T(-17), T(-90.5), T(-301)}) {
      T const got = first(both(p.raised(V(x)), q.raised(V(y))));
      worst[0] = std::max(worst[0], error<T>(got, a * log_p + b * log_of(row_q, y)));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("powers keep their digits however large their exponents", T, float, double) {
  for (exponents const& e : pairs) {
    CAPTURE(e.a);
    CAPTURE(e.b);
    auto const [both, one] = worst_powers<T, divot::pack<T>>(e.a, e.b);
    CHECK(both <= 4);
    CHECK(one <= 3);
  }
}

TEST_CASE("a float's power is worked out in double") {
  for (exponents const& e : pairs) {
    CAPTURE(e.a);
    CAPTURE(e.b);
    auto const [both, one] = worst_powers<float, float>(e.a, e.b);
    CHECK(both <= 1);
    CHECK(one <= 1);
  }
}

TEST_CASE_TEMPLATE("powers of rows whose maximum is large", T, float, double) {
  using V = divot::pack<T>;
  T const max = sizeof(T) == 4 ? T(60000) : T(6e13);
  double const a = 0.9;
  math::probability_power<V, double> const power({double(max), 1., 0., 2.}, a);
  for (T const gap : {T(0), T(1), T(3), T(60)}) {
    T const x = max - gap;
    CHECK(error<T>(first(power(power.raised(V(x)))),
                   -a * (2 + static_cast<long double>(max - x))) <= 3);
  }
}

TEST_CASE_TEMPLATE("classes that are masked by huge numbers have no power", T, float, double) {
  using V = divot::pack<T>;
  for (double const a : {1e-3, 0.2, 1., 40.}) {
    CAPTURE(a);
    math::probability_power<V, double> const p(row_p, a), q(row_q, 0.5);
    math::power_product<V, double> const both(p, q);
    for (T const x : {limits<T>::lowest(), T(-1e30), T(-1e9)}) {
      CHECK(first(p(p.raised(V(x)))) == 0);
      CHECK(first(both(p.raised(V(x)), q.raised(V(T(-1.5))))) == 0);
      CHECK(first(both(p.raised(V(x)), q.raised(V(x)))) == 0);
    }
  }
}

TEST_CASE_TEMPLATE("p to the power 0 is 1", T, float, double) {
  using V = divot::pack<T>;
  math::probability_power<V, double> const p(row_p, 0);
  for (T const x : {T(3.25), T(-1), T(-1e30)}) CHECK(first(p(p.raised(V(x)))) == 1);
}
