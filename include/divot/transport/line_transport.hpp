// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/exact.hpp>
#include <divot/core/types.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace divot {

/// So much mass goes from a point of x to a point of y.
struct transported {
  index row;     ///< which of x
  index column;  ///< which of y
  double mass;
};

/// Derivatives of a transport cost on the line.
template <class T>
struct line_gradient {
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  vector x, y;            ///< in the points
  vector x_mass, y_mass;  ///< in their masses, up to a constant of each side
};

inline namespace DIVOT_ABI {

/// A solved transport problem on the line. T: double.
template <class T>
class line_transport {
 public:
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  double order = 1;           ///< p
  double transport_cost = 0;  ///< W_p^p = Σ P |x − y|^p, the p-th power of the distance
  double distance = 0;        ///< W_p = transport_cost^(1/p), finite even if that is not

  /// P: its positive entries from the lowest points to the highest, fewer than there are points on
  /// both sides together.
  std::vector<transported> const& plan() const { return steps; }

  /// How transport_cost changes with points and masses; that of distance is distance/(p
  /// transport_cost) times it.
  ///
  ///   x       Σ_j P_ij p |x_i − y_j|^(p−1) sign(x_i − y_j), 0 for what need not move; where points
  ///           of x coincide, each has its share by mass of what they have together
  ///   x_mass  the dual potential f, with f_i + g_j ≤ |x_i − y_j|^p everywhere, equal where P is
  ///           positive. Where the masses up to a point of x and up to a point of y are equal, the
  ///           derivatives to either side differ, and this is their mean. Σ b g = 0 settles the
  ///           constant, so Σ a f is the transport cost
  ///   y, y_mass  the same of the other side
  ///
  /// Limits  a point without mass: 0
  /// Errors  divot::error where a derivative leaves the range of double
  line_gradient<T> gradient() const {
    line_gradient<T> out{vector::Zero(x.size()), vector::Zero(y.size()), vector::Zero(x.size()),
                         vector::Zero(y.size())};
    slopes(&transported::row, x, 1, out.x);
    slopes(&transported::column, y, -1, out.y);
    potentials(out.x_mass, out.y_mass);
    if (!(out.x.allFinite() && out.y.allFinite() && out.x_mass.allFinite() &&
          out.y_mass.allFinite())) {
      fail("line_transport::gradient: a derivative of |x − y|^", order,
           " is beyond double's range");
    }
    return out;
  }

  // What the solver fills in.
  vector x, y;
  std::vector<transported> steps;

  /// The values, once points, plan and order are there.
  void evaluate() {
    two_words<T> sum{0, 0};
    T longest = 0;
    for (transported const& s : steps) {
      T const way = std::abs(x(s.row) - y(s.column));
      longest = std::max(longest, way);
      sum = added(sum, s.mass * power(way));
    }
    // below, terms may have been lost that together are not small beside the rest
    constexpr T safe = 1e-290;
    if (longest == 0 || (sum.high >= safe && std::isfinite(sum.high))) {
      transport_cost = sum.high;
      distance = root(sum.high);
      return;
    }
    sum = {0, 0};
    for (transported const& s : steps) {
      sum = added(sum, s.mass * power(std::abs(x(s.row) - y(s.column)) / longest));
    }
    distance = longest * root(sum.high);
    T const half = std::pow(longest, order / 2);
    transport_cost = half * sum.high * half;
  }

 private:
  using side = index transported::*;

  static two_words<T> added(two_words<T> const& sum, T term) {
    return difference(sum, two_words<T>{-term, 0});
  }
  T power(T way) const { return order == 1 ? way : order == 2 ? way * way : std::pow(way, order); }
  /// power'(way) for a way > 0.
  T steepness(T way) const {
    return order == 1 ? T(1) : order == 2 ? 2 * way : order * std::pow(way, order - 1);
  }
  T root(T sum) const {
    return order == 1 ? sum : order == 2 ? std::sqrt(sum) : std::pow(sum, 1 / order);
  }
  T cost(index i, index j) const { return power(std::abs(x(i) - y(j))); }

  /// Points of one place lie side by side in the plan. Together they have a derivative, one by one
  /// they have not: the highest of those that move apart takes what goes furthest up.
  void slopes(side which, vector const& at, T sign, vector& out) const {
    for (auto next = steps.begin(); next != steps.end();) {
      auto const first = next;
      two_words<T> sum{0, 0};
      T mass = 0;
      for (; next != steps.end() && at((*next).*which) == at((*first).*which); ++next) {
        T const way = x(next->row) - y(next->column);
        T const slope = way == 0 ? T(0) : steepness(std::abs(way));
        sum = added(sum, way < 0 ? -sign * slope * next->mass : sign * slope * next->mass);
        out((*next).*which) += next->mass;
        mass += next->mass;
      }
      for (auto each = first; each != next;) {
        index const place = (*each).*which;
        out(place) = sum.high * (out(place) / mass);
        while (each != next && (*each).*which == place) ++each;
      }
    }
  }

  /// f and g along the plan, one after the other: P is positive where f ⊕ g = C.
  void potentials(vector& f, vector& g) const {
    two_words<T> now{0, 0}, moment{0, 0};
    T mass = 0;
    for (std::size_t k = 0; k < steps.size(); ++k) {
      auto const [i, j, moved] = steps[k];
      if (k > 0 && i != steps[k - 1].row) {
        index const before = steps[k - 1].row, other = steps[k - 1].column;
        // both sides go on at once: by way of (i, other), by way of (before, j), the mean of both
        T const share = other == j ? 1 : .5;
        now = added(added(now, share * cost(i, other)), -share * cost(before, other));
        if (other != j) now = added(added(now, share * cost(i, j)), -share * cost(before, j));
      }
      f(i) = now.high;
      g(j) = difference(two_words<T>{cost(i, j), 0}, now).high;
      moment = added(moment, moved * g(j));
      mass += moved;
    }
    T const shift = steps.empty() ? T(0) : moment.high / mass;
    for (std::size_t k = 0; k < steps.size(); ++k) {
      auto const [i, j, moved] = steps[k];
      if (k == 0 || i != steps[k - 1].row) f(i) += shift;
      if (k == 0 || j != steps[k - 1].column) g(j) -= shift;
    }
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
