// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/sinkhorn.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// A partial plan: part of the mass is moved, the rest stays where it is, free of charge.
template <class Solution>
struct partial_solution {
  /// The whole problem: a row and a column more, for what is not moved.
  Solution whole;
  transport_status status = whole.status;
  double transport_cost = whole.transport_cost;  ///< ⟨P, C⟩ of what is moved

  bool solved() const { return whole.solved(); }
  Eigen::Index rows() const { return whole.all_rows - 1; }
  Eigen::Index columns() const { return whole.all_columns - 1; }
  /// rows × columns; its sums stay below a and b.
  Eigen::MatrixXd plan() const { return whole.plan().topLeftCorner(rows(), columns()); }
  /// As of the whole problem; where all of a side's mass is moved, the derivatives in the masses of
  /// that side are to one side only, and NaN.
  transport_gradient gradient(transport_objective of) const {
    auto const all = whole.gradient(of);
    std::remove_const_t<decltype(all)> out;
    out.cost = all.cost.topLeftCorner(rows(), columns());
    out.row_mass = all.row_mass.head(rows());
    out.column_mass = all.column_mass.head(columns());
    // what one side has more is left by the other's added one
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    out.row_mass.array() += leaves_of_rows() ? all.column_mass(columns()) : none;
    out.column_mass.array() += leaves_of_columns() ? all.row_mass(rows()) : none;
    out.epsilon = all.epsilon;
    return out;
  }
  /// The value's derivative in the mass that is moved, a and b held fixed.
  ///
  /// Errors  divot::error where all of a side's mass is moved: there is no more to move
  double moved_slope(transport_objective of) const {
    if (!leaves_of_rows() || !leaves_of_columns()) {
      fail(
          "partial_solution::moved_slope: all the mass of a side is moved; the derivative exists "
          "where both sides have some left");
    }
    auto const all = whole.gradient(of);
    return -all.row_mass(rows()) - all.column_mass(columns());
  }

 private:
  /// Whether a side has mass that is not moved: the added column takes the rows', and likewise.
  bool leaves_of_rows() const { return has(whole.places_of_columns, columns()); }
  bool leaves_of_columns() const { return has(whole.places_of_rows, rows()); }
  static bool has(transport_places const& places, Eigen::Index last) {
    return !places.empty() && places.back() == last;
  }
};

/// The plan that moves `moved` of the masses a and b, which may differ, and leaves the rest.
///
///   partial_sinkhorn(policy, cost, a, b, moved, options)
///
/// A row and a column are added that cost nothing and take what is not moved, Σb − moved and
/// Σa − moved, and cannot trade with each other; ε smooths the plan of the whole.
///
/// cost     rows × columns, each of them finite
/// Domain   1e-12 max(Σa, Σb) ≤ moved ≤ min(Σa, Σb), as double tells no less from nothing; no
///          penalties, no start. The tolerance is a fraction of `moved`
/// Errors   as sinkhorn
/// Ref      Chapel, Alaya and Gasso (2020), NeurIPS
template <execution_policy Policy, class Cost, class A, class B>
auto partial_sinkhorn(Policy const& policy, Eigen::DenseBase<Cost> const& cost,
                      Eigen::DenseBase<A> const& a, Eigen::DenseBase<B> const& b, double moved,
                      sinkhorn_options const& options = {}) {
  check_policy(policy);
  check_sinkhorn(options, "partial_sinkhorn");
  if (!std::isinf(options.row_penalty) || !std::isinf(options.column_penalty) ||
      !options.start.empty()) {
    fail("partial_sinkhorn: it takes no penalties and no start");
  }
  Eigen::Index const n = cost.rows(), m = cost.cols();
  if (a.size() != n || b.size() != m) {
    fail("partial_sinkhorn: the cost is ", n, "×", m, "; there are ", a.size(), " row masses and ",
         b.size(), " column masses");
  }
  typename transport_types<Cost>::vector rows(n + 1), columns(m + 1);
  rows.head(n) = a.derived().template cast<double>().reshaped();
  columns.head(m) = b.derived().template cast<double>().reshaped();
  double const mass = rows.head(n).sum(), other = columns.head(m).sum();
  double const least = std::min(mass, other);
  if (!(moved > 0 && moved <= least * (1 + 1e-12))) {
    fail("partial_sinkhorn: ", moved,
         " of the mass is to be moved; it must be positive and at most ", least,
         ", what both sides have");
  }
  if (moved < 1e-12 * std::max(mass, other)) {
    fail("partial_sinkhorn: ", moved, " of the mass is to be moved, where there is ",
         std::max(mass, other), "; no double tells it from nothing");
  }
  auto const rest = [](double all, double part) { return std::max(0., all - part); };
  rows(n) = rest(other, moved);
  columns(m) = rest(mass, moved);
  using matrix = typename transport_types<Cost>::matrix;
  matrix whole = matrix::Zero(n + 1, m + 1);
  whole.topLeftCorner(n, m) = cost.derived().template cast<double>();
  // dear enough that nothing is left there, to the last digit
  double const highest = n > 0 && m > 0 ? whole.cwiseAbs().maxCoeff() : 0;
  whole(n, m) = 2 * highest + 80 * options.epsilon;
  sinkhorn_options of_whole = options;
  of_whole.tolerance = (options.tolerance > 0 ? options.tolerance : 1e-9) * (moved / rows.sum());
  auto solved = solve_problem(runs_as(policy), solver_costs(whole), rows, columns, of_whole, false,
                              {"partial_sinkhorn"});
  return partial_solution<decltype(solved)>{std::move(solved)};
}
template <class Cost, class A, class B>
auto partial_sinkhorn(Eigen::DenseBase<Cost> const& cost, Eigen::DenseBase<A> const& a,
                      Eigen::DenseBase<B> const& b, double moved,
                      sinkhorn_options const& options = {}) {
  return partial_sinkhorn(simd, cost, a, b, moved, options);
}

}  // namespace DIVOT_ABI
}  // namespace divot
