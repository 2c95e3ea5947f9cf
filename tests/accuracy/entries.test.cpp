// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The forms that the files of tests/entries give to the reference, against f as it is published and
// its differences.

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <entries/entry.hpp>

#include <cmath>
#include <vector>

namespace {

using reference::quad;

constexpr double ells[] = {-9, -3, -1.25, -0.75, -0.3, 0.2, 0.6, 1.5, 4, 9};

/// f' by a difference that errs by h².
quad slope_of(losses::entry const& e, quad u, quad a) {
  quad const h = 1e-10 * u;
  return (e.f(u + h, a) - e.f(u - h, a)) / (2 * h);
}
quad curvature_of(losses::entry const& e, quad u, quad a) {
  quad const h = 1e-7 * u;
  return (slope_of(e, u + h, a) - slope_of(e, u - h, a)) / (2 * h);
}

bool close(quad got, quad exact) {
  return reference::abs(got - exact) <= budget::difference * (1 + reference::abs(exact));
}

/// Calls check(entry, a, ell) everywhere but at kinks.
template <class Check>
void everywhere(Check check) {
  for (losses::entry const* e : losses::entries()) {
    for (double const a : e->tried()) {
      for (double const ell : ells) {
        CAPTURE(e->name());
        CAPTURE(a);
        CAPTURE(ell);
        auto const kink = e->kink_at(a);
        if (kink && reference::abs(kink->at - ell) < 1e-3) continue;
        check(*e, quad(a), quad(ell));
      }
    }
  }
}

}  // namespace

TEST_CASE("an entry's loss is q f(p/q)") {
  everywhere([](losses::entry const& e, quad a, quad ell) {
    std::vector<double> const teacher{static_cast<double>(ell), 0}, student{0, 0};
    reference::row_pair const row{std::span<double const>(teacher),
                                  std::span<double const>(student)};
    CHECK(close(e.loss(row, 0, a), row.q(0) * e.f(row.p(0) / row.q(0), a)));
  });
}

TEST_CASE("an entry's slopes are those of f, and those of its reverse") {
  everywhere([](losses::entry const& e, quad a, quad ell) {
    quad const u = reference::exp(ell), slope = slope_of(e, u, a), omega = e.f(u, a) - u * slope;
    CHECK(close(e.slope(ell, a, false), omega));
    if (reference::is_finite(e.at_zero(a))) {
      CHECK(close(e.slope(ell, a, true), omega - e.at_zero(a)));
    }
    if (!e.has_reverse()) return;
    quad const reversed = slope_of(e, 1 / u, a);
    CHECK(close(e.reversed_slope(ell, a, false), reversed));
    if (reference::is_finite(e.slope_at_infinity(a))) {
      CHECK(close(e.reversed_slope(ell, a, true), reversed - e.slope_at_infinity(a)));
    }
  });
}

TEST_CASE("an entry's limits are f's") {
  for (losses::entry const* e : losses::entries()) {
    for (double const a : e->tried()) {
      CAPTURE(e->name());
      CAPTURE(a);
      quad const tiny = 1e-300, huge = 1e300;
      auto const same = [](quad got, quad limit) {
        if (reference::is_infinite(limit)) return got > 100;
        return reference::abs(got - limit) <= 1e-3 * reference::abs(limit);
      };
      CHECK(same(e->f(tiny, a), e->at_zero(a)));
      CHECK(same(e->f(huge, a) / huge, e->slope_at_infinity(a)));
    }
  }
}

TEST_CASE("an entry's curvature is f''") {
  everywhere([](losses::entry const& e, quad a, quad ell) {
    quad const u = reference::exp(ell);
    double const curvature = e.curvature(static_cast<double>(u), static_cast<double>(a));
    if (std::isnan(curvature)) return;
    double const exact = static_cast<double>(curvature_of(e, u, a));
    CHECK(std::abs(curvature - exact) <= budget::curvature * (1 + std::abs(exact)));
  });
}
