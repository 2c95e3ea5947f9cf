// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/teams.hpp>
#include <divot/transport/solver.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// Whether numbers of this type are rounded more than double's.
template <class T>
inline constexpr bool is_narrow = !std::is_integral_v<T> && sizeof(T) < sizeof(double);

/// The masses that are not 0, and their places; others than finite numbers ≥ 0 are refused.
template <class Masses>
Eigen::VectorXd positive_masses(Masses const& given, char const* what,
                                std::vector<Eigen::Index>& places) {
  Eigen::VectorXd const all = given.derived().template cast<double>().reshaped();
  for (Eigen::Index i = 0; i < all.size(); ++i) {
    if (!(all(i) >= 0 && std::isfinite(all(i)))) {
      fail("sinkhorn: ", what, " ", i, " has mass ", all(i),
           "; masses must be finite and not negative");
    }
    if (all(i) > 0) places.push_back(i);
  }
  return all(places);
}

/// The entropic optimal transport plan between masses a of the rows and b of the columns:
/// P minimises ⟨P, C⟩ + ε KL(P ‖ a⊗b) among the plans with these marginals.
///
///   sinkhorn(policy, cost, a, b, options)
///
/// policy   seq or simd (the default); omp solves as simd does
/// cost     rows × columns, any dense Eigen expression of numbers, each of them finite
/// a, b     rows and columns numbers ≥ 0 of the same sum; both left out: 1/rows, 1/columns
/// Returns  the potentials, values, errors and status; plan() and gradient(objective)
/// Errors   divot::error for shapes, options, costs and masses; not to converge is a status
/// Ref      Cuturi (2013), NeurIPS; Peyré and Cuturi (2019), Computational Optimal Transport
template <execution_policy Policy, class Cost, class A, class B>
transport_solution<double> sinkhorn(Policy const& policy, Eigen::DenseBase<Cost> const& cost,
                                    Eigen::DenseBase<A> const& a, Eigen::DenseBase<B> const& b,
                                    sinkhorn_options const& options = {}) {
  check_policy(policy);
  Eigen::Index const n = cost.rows(), m = cost.cols();
  if (a.size() != n || b.size() != m) {
    fail("sinkhorn: the cost is ", n, "×", m, "; there are ", a.size(), " row masses and ",
         b.size(), " column masses");
  }
  if (!(options.epsilon > 0 && std::isfinite(options.epsilon))) {
    fail("sinkhorn: epsilon is ", options.epsilon, "; it must be positive and finite");
  }
  if (!(options.tolerance >= 0 && std::isfinite(options.tolerance))) {
    fail("sinkhorn: the tolerance is ", options.tolerance, "; it must be finite and not negative");
  }
  if (options.sweeps < 0 || options.max_sweeps < 1 || options.newton_steps < 0) {
    fail("sinkhorn: sweeps, max_sweeps and newton_steps are ", options.sweeps, ", ",
         options.max_sweeps, " and ", options.newton_steps, "; they must be at least 0, 1 and 0");
  }
  transport_solution<double> s;
  s.all_rows = n;
  s.all_columns = m;
  s.epsilon = options.epsilon;
  std::vector<Eigen::Index> rows, columns;
  Eigen::VectorXd const row_masses = positive_masses(a, "row", rows);
  Eigen::VectorXd const column_masses = positive_masses(b, "column", columns);
  double const mass = row_masses.sum(), other = column_masses.sum();
  if (n == 0 || m == 0 || (rows.empty() && columns.empty())) return s;
  constexpr bool narrow_masses = is_narrow<typename A::Scalar> || is_narrow<typename B::Scalar>;
  constexpr bool narrow = is_narrow<typename Cost::Scalar>;
  if (!(std::abs(mass - other) <= (narrow_masses ? 1e-5 : 1e-9) * std::max(mass, other))) {
    fail("sinkhorn: the rows' masses add up to ", mass, ", the columns' to ", other,
         "; they must agree");
  }
  Eigen::MatrixXd const all = cost.derived().template cast<double>();
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < m; ++j) {
      if (!std::isfinite(all(i, j))) {
        fail("sinkhorn: the cost in row ", i, ", column ", j, " is ", all(i, j),
             "; costs must be finite");
      }
    }
  }
  s.a = row_masses;
  s.b = column_masses * (mass / other);
  s.cost = all(rows, columns);
  s.places_of_rows = std::move(rows);
  s.places_of_columns = std::move(columns);
  double const range = s.cost.maxCoeff() - s.cost.minCoeff();
  if (!(range / options.epsilon <= 1e13 && options.epsilon <= 1e300)) {
    fail("sinkhorn: epsilon is ", options.epsilon, " for costs that range over ", range,
         "; between the two no double can tell plans apart");
  }
  s.lowest_cost = s.cost.minCoeff();
  s.cost.array() -= s.lowest_cost;
  s.f = Eigen::VectorXd::Zero(s.a.size());
  s.g = Eigen::VectorXd::Zero(s.b.size());
  double const tolerance = options.tolerance > 0 ? options.tolerance : narrow ? 1e-5 : 1e-9;
  sinkhorn_solver<row_team<Policy, double>>(s, options, tolerance).run();
  return s;
}

/// Equal masses that add up to 1 on either side.
template <execution_policy Policy, class Cost>
transport_solution<double> sinkhorn(Policy const& policy, Eigen::DenseBase<Cost> const& cost,
                                    sinkhorn_options const& options = {}) {
  auto const equal = [](Eigen::Index count) {
    return Eigen::VectorXd(Eigen::VectorXd::Constant(count, 1. / static_cast<double>(count)));
  };
  return sinkhorn(policy, cost, equal(cost.rows()), equal(cost.cols()), options);
}
template <class Cost, class A, class B>
transport_solution<double> sinkhorn(Eigen::DenseBase<Cost> const& cost,
                                    Eigen::DenseBase<A> const& a, Eigen::DenseBase<B> const& b,
                                    sinkhorn_options const& options = {}) {
  return sinkhorn(simd, cost, a, b, options);
}
template <class Cost>
transport_solution<double> sinkhorn(Eigen::DenseBase<Cost> const& cost,
                                    sinkhorn_options const& options = {}) {
  return sinkhorn(simd, cost, options);
}

}  // namespace DIVOT_ABI
}  // namespace divot
