// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkhorn.hpp>
#include <divot/transport/line_transport.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// A point that has mass, and its place in the caller's vector.
struct line_point {
  double at, mass;
  index place;
};

/// Points that have mass, in order; others than finite points and masses ≥ 0 are refused.
template <class Masses>
std::vector<line_point> sorted_points(Eigen::VectorXd const& points, Masses const& masses,
                                      char const* name) {
  std::vector<line_point> sorted;
  sorted.reserve(static_cast<std::size_t>(points.size()));
  for (index i = 0; i < points.size(); ++i) {
    auto const mass = static_cast<double>(masses.derived().coeff(i));
    if (!std::isfinite(points(i))) {
      fail("wasserstein_1d: point ", i, " of ", name, " is ", points(i), "; points must be finite");
    }
    if (!(mass >= 0 && std::isfinite(mass))) {
      fail("wasserstein_1d: mass ", i, " of ", name, " is ", mass,
           "; masses must be finite and not negative");
    }
    if (mass > 0) sorted.push_back({points(i), mass, i});
  }
  std::sort(sorted.begin(), sorted.end(), [](line_point const& a, line_point const& b) {
    return a.at < b.at || (a.at == b.at && a.place < b.place);
  });
  return sorted;
}

template <class Point>
two_words<double> mass_of(std::vector<Point> const& points) {
  two_words<double> sum{0, 0};
  for (Point const& each : points) sum = difference(sum, {-each.mass, 0.});
  return sum;
}

/// The plan of sorted points: the lowest of x goes to the lowest of y until one of them is used up.
///
/// What is left of a point is kept in two words, and the lighter point's mass is taken as it is, so
/// that no error is carried up the line. y's masses are multiplied by `scale`, all of them by
/// `unit`.
template <class Point>
std::vector<transported> staircase(std::vector<Point> const& x, std::vector<Point> const& y,
                                   two_words<double> const& scale, double unit) {
  std::vector<transported> steps;
  if (x.empty() || y.empty()) return steps;
  steps.reserve(x.size() + y.size());
  std::size_t i = 0, j = 0;
  auto const mass_of_x = [&] { return two_words<double>{x[i].mass, 0}; };
  auto const mass_of_y = [&] { return product(scale, two_words<double>{y[j].mass, 0}); };
  double more = 0;
  for (auto a = mass_of_x(), b = mass_of_y();;) {
    bool const last_x = i + 1 == x.size(), last_y = j + 1 == y.size();
    auto const rest = difference(a, b);
    // the last point of a side takes what comes, and the last of both what has come last: what is
    // left of the other is that, and what the sums are rounded by
    if (!last_x || !last_y) more = last_y ? -1 : last_x ? 1 : rest.high;
    steps.push_back({x[i].place, y[j].place, (more <= 0 ? a : b).high * unit});
    if (last_x && last_y) return steps;
    if (more <= 0) ++i;
    if (more >= 0) ++j;
    a = more <= 0 ? mass_of_x() : rest;
    b = more >= 0 ? mass_of_y() : two_words<double>{-rest.high, -rest.low};
  }
}

template <class X, class Y, class A, class B>
line_transport<double> solve_on_line(Eigen::DenseBase<X> const& x, Eigen::DenseBase<Y> const& y,
                                     Eigen::DenseBase<A> const& a, Eigen::DenseBase<B> const& b,
                                     double order, double unit) {
  if (!(order >= 1 && std::isfinite(order))) {
    fail("wasserstein_1d: the order is ", order, "; it must be finite and at least 1");
  }
  if (std::min(x.rows(), x.cols()) > 1 || std::min(y.rows(), y.cols()) > 1) {
    fail("wasserstein_1d: x is ", x.rows(), "×", x.cols(), ", y is ", y.rows(), "×", y.cols(),
         "; points on the line are vectors");
  }
  if (a.size() != x.size() || b.size() != y.size()) {
    fail("wasserstein_1d: x has ", x.size(), " points and ", a.size(), " masses, y has ", y.size(),
         " points and ", b.size(), " masses");
  }
  line_transport<double> solved;
  solved.order = order;
  solved.x = x.derived().template cast<double>().reshaped();
  solved.y = y.derived().template cast<double>().reshaped();
  auto const from = sorted_points(solved.x, a.derived().reshaped().eval(), "x");
  auto const to = sorted_points(solved.y, b.derived().reshaped().eval(), "y");
  auto const mass = mass_of(from), other = mass_of(to);
  constexpr double near = mass_gap<typename A::Scalar, typename B::Scalar>;
  // beyond 1e300 products in two words overflow
  if (!(std::abs(mass.high - other.high) <= near * std::max(mass.high, other.high) &&
        mass.high <= 1e300)) {
    fail("wasserstein_1d: the masses of x add up to ", mass.high * unit, ", those of y to ",
         other.high * unit, "; they must agree, and be at most 1e300");
  }
  if (from.empty()) return solved;
  double const lowest = std::min(from.front().at, to.front().at);
  double const highest = std::max(from.back().at, to.back().at);
  if (!std::isfinite(highest - lowest)) {
    fail("wasserstein_1d: the points lie between ", lowest, " and ", highest,
         ", which is further than double reaches");
  }
  double const ratio = mass.high / other.high;
  auto const error = difference(mass, product(other, {ratio, 0.}));
  solved.steps = staircase(from, to, {ratio, error.high / other.high}, unit);
  solved.evaluate();
  return solved;
}

/// Optimal transport on the line, solved exactly by sorting: the Wasserstein distance of order p
/// between points x of masses a and points y of masses b.
///
///   W_p^p = ∫₀¹ |F⁻¹(u) − G⁻¹(u)|^p du for masses that add up to 1, F and G the distribution
///   functions of either side: Σ P |x − y|^p of the plan P that keeps the order
///
///   wasserstein_1d(x, y, order)
///   wasserstein_1d(x, y, a, b, order)
///
/// x, y     vectors of finite numbers, any dense Eigen expression, in any order
/// a, b     as many numbers ≥ 0 of the same sum, which need not be 1; both left out: 1/n, 1/m
/// order    p, 1 unless given
/// Domain   p ≥ 1: only there is the plan that keeps the order a cheapest one
/// Returns  transport_cost = W_p^p, distance = W_p, plan() of at most n + m − 1 entries, gradient()
/// Limits   transport_cost is infinite or 0 where W_p^p is beyond double's range, distance is not;
///          no points on either side, or no mass: 0
/// Error    of W_p^p, relative: a few roundings, and p times what each |x − y| is rounded by; sums
///          are in two words. Time n log n + m log m
/// Errors   divot::error for sizes, order, points and masses
/// Ref      Villani (2003), Topics in Optimal Transportation, section 2.2
template <class X, class Y, class A, class B>
line_transport<double> wasserstein_1d(Eigen::DenseBase<X> const& x, Eigen::DenseBase<Y> const& y,
                                      Eigen::DenseBase<A> const& a, Eigen::DenseBase<B> const& b,
                                      double order = 1) {
  return solve_on_line(x, y, a, b, order, 1);
}

/// Equal masses that add up to 1 on either side.
template <class X, class Y>
line_transport<double> wasserstein_1d(Eigen::DenseBase<X> const& x, Eigen::DenseBase<Y> const& y,
                                      double order = 1) {
  auto const n = static_cast<double>(x.size()), m = static_cast<double>(y.size());
  if ((n == 0) != (m == 0)) {
    fail("wasserstein_1d: x has ", x.size(), " points, y has ", y.size(),
         "; between some and none nothing can move");
  }
  // in units of 1/(nm) masses are whole numbers, and agree exactly where 1/n and 1/m should
  return solve_on_line(x, y, Eigen::VectorXd::Constant(x.size(), m),
                       Eigen::VectorXd::Constant(y.size(), n), order, n == 0 ? 1 : 1 / (n * m));
}

}  // namespace DIVOT_ABI
}  // namespace divot
