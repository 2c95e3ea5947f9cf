// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Powers from logarithms in two words, against the standard library in long double.

#include <doctest/doctest.h>
#include <divot/core/shifted_exp.hpp>

#include <unit/core/lanes.hpp>

#include <algorithm>
#include <cmath>

namespace {

using lanes::limits;

struct exponents {
  double a, b;
};
constexpr exponents pairs[] = {{1, 0},   {0, 1},      {0.2, 0.7}, {0.8, 0.3}, {-0.5, 1.5},
                               {0, 0.9}, {3.7, -2.9}, {1e-9, 1},  {0, 0}};

/// The largest error of p^a q^b in ulps; checks what leaves the type's range.
template <class T, class V>
double worst_power(double a, double b) {
  divot::power_product const power(a, b);
  divot::math::shifted_exp<V, double> const p_of(3.25, 0.7, 0, 0.4), q_of(-1.5, 0.7, 0, 2.5);
  double worst = 0;
  for (T const x : lanes::between<T>(-200, 3)) {
    for (T const y : {T(-1.5), T(-2.25), T(-17), T(-90.5), T(-301)}) {
      T got;
      V const result = power.of(p_of.logarithm(V(x)), q_of.logarithm(V(y)));
      if constexpr (divot::lane_traits<V>::is_pack) {
        got = divot::lane_traits<V>::to_array(result)[0];
      } else {
        got = result;
      }
      long double const log_p = (static_cast<long double>(x) - 3.25L) * 0.7 - 0.4;
      long double const log_q = (static_cast<long double>(y) + 1.5L) * 0.7 - 2.5L;
      long double const exact = std::exp(a * log_p + b * log_q);
      if (exact > static_cast<long double>(limits<T>::max())) {
        CHECK(std::isinf(got));
      } else if (exact < static_cast<long double>(limits<T>::min())) {
        CHECK(got <= limits<T>::min());
      } else {
        worst = std::max(worst, lanes::ulps(got, exact));
      }
    }
  }
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("powers keep their digits however large their exponents", T, float, double) {
  for (exponents const& e : pairs) {
    CAPTURE(e.a);
    CAPTURE(e.b);
    CHECK(worst_power<T, divot::pack<T>>(e.a, e.b) <= 6);
  }
}

TEST_CASE("a float's logarithm is a double") {
  for (exponents const& e : pairs) {
    CAPTURE(e.a);
    CAPTURE(e.b);
    CHECK(worst_power<float, float>(e.a, e.b) <= 1);
  }
}

TEST_CASE_TEMPLATE("a logarithm that is not there counts as that of 1", T, float, double) {
  using V = divot::pack<T>;
  divot::log_words<V> const some{V(T(-3)), V(T(0.25))};
  auto const none = some.unless(V(T(0)) == V(T(0))), same = some.unless(V(T(0)) == V(T(1)));
  CHECK(divot::lane_traits<V>::to_array(none.whole)[0] == 0);
  CHECK(divot::lane_traits<V>::to_array(none.part)[0] == 0);
  CHECK(divot::lane_traits<V>::to_array(same.whole)[0] == -3);
  CHECK(divot::lane_traits<V>::to_array(same.part)[0] == T(0.25));
}
