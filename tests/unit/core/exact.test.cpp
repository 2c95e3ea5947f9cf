// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Two-word results checked in integers: every operand is an integer times a common power of two.

#include <doctest/doctest.h>
#include <divot/core/exact.hpp>

#include <unit/core/lanes.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
using wide = __int128;
#pragma GCC diagnostic pop

/// Integers with all of T's digits in use, of magnitudes up to 2^(digits + 40).
template <class T>
std::vector<T> integers(std::uint64_t seed) {
  samples::random r(seed);
  std::vector<T> x;
  for (int i = 0; i < 20000; ++i) {
    int const digits = lanes::limits<T>::digits;
    auto const n = static_cast<std::int64_t>(r.bits() >> (64 - digits));
    int const shift = static_cast<int>(r.bits() % 41);
    T const v = std::ldexp(static_cast<T>(n), shift);
    x.push_back(r.bits() % 2 == 0 ? v : -v);
  }
  return x;
}

/// Numbers near the ones in x: differences cancel.
template <class T>
std::vector<T> beside(std::vector<T> x) {
  samples::random r(99);
  for (T& v : x) {
    T const step = v * lanes::limits<T>::epsilon();
    v = std::nearbyint(v + step * static_cast<T>(r.bits() % 100));
  }
  return x;
}

template <class T>
void differences_are_exact(std::vector<T> const& a, std::vector<T> const& b) {
  using V = divot::pack<T>;
  auto const high = lanes::apply<T>(
      [](V const& x, V const& y) { return divot::exact_difference(x, y).high; }, a, b);
  auto const low = lanes::apply<T>(
      [](V const& x, V const& y) { return divot::exact_difference(x, y).low; }, a, b);
  std::size_t wrong = 0, wrong_scalar = 0, unrounded = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    wide const exact = static_cast<wide>(a[i]) - static_cast<wide>(b[i]);
    wrong += static_cast<wide>(high[i]) + static_cast<wide>(low[i]) != exact;
    unrounded += high[i] != a[i] - b[i];
    auto const s = divot::exact_difference(a[i], b[i]);
    wrong_scalar += static_cast<wide>(s.high) + static_cast<wide>(s.low) != exact;
  }
  CHECK(wrong == 0);
  CHECK(wrong_scalar == 0);
  CHECK(unrounded == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("a difference of any two numbers is exact in two words", T, float, double) {
  differences_are_exact(integers<T>(1), integers<T>(2));
}

TEST_CASE_TEMPLATE("a difference that cancels is exact in two words", T, float, double) {
  auto const a = integers<T>(3);
  differences_are_exact(a, beside(a));
  differences_are_exact(a, a);
  differences_are_exact(a, lanes::negated(a));
}

TEST_CASE_TEMPLATE("the low word is at most half an ulp of the high one", T, float, double) {
  auto const a = integers<T>(4), b = integers<T>(5);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto const d = divot::exact_difference(a[i], b[i]);
    wrong += static_cast<T>(d.high + d.low) != d.high;
  }
  CHECK(wrong == 0);
}

TEST_CASE("a long double's difference is exact in two words") {
  // numbers of 64 digits: n + m·2^-60
  long double const a = 0x1.23456789abcdefp+3L, b = 0x1.fedcba987654321p-40L;
  auto const d = divot::exact_difference(a, b);
  CHECK(d.high == a - b);
  CHECK(d.low != 0);
  // adding the larger number back leaves what the rounding took
  CHECK((a - d.high) - b == d.low);
}

TEST_CASE_TEMPLATE("a product is exact in two words", T, float, double) {
  using V = divot::pack<T>;
  samples::random r(6);
  std::vector<T> a, b;
  for (int i = 0; i < 20000; ++i) {
    int const digits = lanes::limits<T>::digits;
    a.push_back(static_cast<T>(static_cast<std::int64_t>(r.bits() >> (64 - digits))));
    b.push_back(-static_cast<T>(static_cast<std::int64_t>(r.bits() >> (64 - digits))));
  }
  auto const high =
      lanes::apply<T>([](V const& x, V const& y) { return divot::exact_product(x, y).high; }, a, b);
  auto const low =
      lanes::apply<T>([](V const& x, V const& y) { return divot::exact_product(x, y).low; }, a, b);
  std::size_t inexact = 0, unrounded = 0, too_large = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    wide const exact = static_cast<wide>(a[i]) * static_cast<wide>(b[i]);
    inexact += static_cast<wide>(high[i]) + static_cast<wide>(low[i]) != exact;
    unrounded += high[i] != a[i] * b[i];
    too_large += std::abs(low[i]) > std::abs(high[i]) * lanes::limits<T>::epsilon();
  }
  CHECK(unrounded == 0);
  CHECK(too_large == 0);
  CHECK(inexact == 0);
}

TEST_CASE("a difference of two words keeps two words' digits when the high ones cancel") {
  samples::random r(7);
  auto const integer = [&r](int digits) {
    return static_cast<double>(static_cast<std::int64_t>(r.bits() >> (64 - digits)));
  };
  auto const whole = [](divot::two_words<double> const& x) {
    return static_cast<wide>(x.high) + static_cast<wide>(x.low);
  };
  std::size_t wrong = 0, unsettled = 0;
  for (int i = 0; i < 20000; ++i) {
    double const x = integer(50), y = integer(50);
    auto const a = divot::exact_product(x, y);
    // another number, one beside it, and itself
    for (double const z : {integer(50), x + static_cast<double>(i % 3), x}) {
      auto const b = divot::exact_product(z, y);
      auto const d = divot::difference(a, b);
      wrong += whole(d) != whole(a) - whole(b);
      unsettled += d.high + d.low != d.high;
    }
  }
  CHECK(wrong == 0);
  CHECK(unsettled == 0);
}
