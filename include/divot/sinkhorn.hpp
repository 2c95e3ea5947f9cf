// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/transport/problem.hpp>

#include <Eigen/Core>

#include <cmath>
#include <concepts>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

template <class C>
inline constexpr bool is_point_costs = false;
template <class G>
inline constexpr bool is_point_costs<point_costs<G>> = true;

/// What `sinkhorn` takes as costs: a dense Eigen expression of numbers, or points(x, y, ground).
template <class C>
concept transport_costs = is_point_costs<C> || std::derived_from<C, Eigen::DenseBase<C>>;

/// `points` of a function `who` that takes the two sets itself.
template <class X, class Y, class Ground>
point_costs<Ground> points_of(char const* who, Eigen::DenseBase<X> const& x,
                              Eigen::DenseBase<Y> const& y, Ground const& ground) {
  if (x.cols() != y.cols()) {
    fail(who, ": those of the rows have ", x.cols(), " coordinates, those of the columns ",
         y.cols());
  }
  if constexpr (std::is_same_v<Ground, ground::lp>) {
    if (!(ground.p >= 1 && std::isfinite(ground.p))) {
      fail(who, ": lp's p is ", ground.p, "; it must be at least 1 and finite");
    }
  }
  auto const checked = [&](auto const& given, char const* what) {
    typename transport_types<Ground>::rows const all = given.derived().template cast<double>();
    for (Eigen::Index i = 0; i < all.rows(); ++i) {
      for (Eigen::Index k = 0; k < all.cols(); ++k) {
        if (!std::isfinite(all(i, k))) {
          fail(who, ": coordinate ", k, " of ", what, " ", i, " is ", all(i, k));
        }
      }
    }
    return all;
  };
  return {ground, checked(x, "row"), checked(y, "column"),
          is_narrow<typename X::Scalar> || is_narrow<typename Y::Scalar>};
}

/// Costs between two sets of points, computed where they are read: O(rows + columns) memory.
///
/// x         rows × coordinates
/// y         columns × coordinates
/// ground    divot::ground's l1, l2, squared_l2, lp{p} or cosine, or a function f(x, y) ≥ 0 of two
///           Eigen column vectors of double
/// Errors    divot::error for other shapes, points that are not finite, and p < 1
template <class X, class Y, class Ground = ground::squared_l2>
point_costs<Ground> points(Eigen::DenseBase<X> const& x, Eigen::DenseBase<Y> const& y,
                           Ground const& ground = {}) {
  return points_of("points", x, y, ground);
}

/// Costs of any kind as a problem's solver takes them.
template <class C>
auto solver_costs(Eigen::DenseBase<C> const& costs) {
  using T = std::conditional_t<is_narrow<typename C::Scalar>, float, double>;
  return dense_costs<T>(costs);
}
template <class G>
point_costs<G> const& solver_costs(point_costs<G> const& costs) {
  return costs;
}
template <class C>
bool is_narrow_cost(Eigen::DenseBase<C> const&) {
  return is_narrow<typename C::Scalar>;
}
template <class G>
bool is_narrow_cost(point_costs<G> const& costs) {
  return costs.narrow();
}
template <class T = double>
Eigen::Matrix<T, Eigen::Dynamic, 1> equal_masses(Eigen::Index count) {
  return Eigen::Matrix<T, Eigen::Dynamic, 1>::Constant(count, 1 / static_cast<T>(count));
}

/// The entropic optimal transport plan between masses a of the rows and b of the columns:
/// P minimises ⟨P, C⟩ + ε KL(P ‖ a⊗b) among the plans with these marginals.
///
///   sinkhorn(policy, cost, a, b, options)
///
/// policy   seq, simd (the default) or omp(n): threads change no bit
/// cost     rows × columns, any dense Eigen expression of numbers, each of them finite; or
///          points(x, y, ground): never rows × columns numbers of memory where there are many
/// a, b     rows and columns numbers ≥ 0 of the same sum (any sums where options name a penalty);
///          both left out: 1/rows, 1/columns
/// Returns  the potentials, values, errors and status; plan(), apply(V), feasible_plan() and
///          gradient(objective), by the route that is exact for it or gradient(objective, route)
/// Errors   divot::error for shapes, options, costs and masses; not to converge is a status
/// Ref      Cuturi (2013), NeurIPS; Peyré and Cuturi (2019), Computational Optimal Transport;
///          with penalties Chizat et al. (2018), Math. Comp. 87(314), 2563–2609
template <execution_policy Policy, transport_costs Cost, class A, class B>
auto sinkhorn(Policy const& policy, Cost const& cost, Eigen::DenseBase<A> const& a,
              Eigen::DenseBase<B> const& b, sinkhorn_options const& options = {}) {
  check_policy(policy);
  check_sinkhorn(options, "sinkhorn");
  return solve_problem(runs_as(policy), solver_costs(cost), a, b, options, is_narrow_cost(cost));
}

/// Equal masses that add up to 1 on either side.
template <execution_policy Policy, transport_costs Cost>
auto sinkhorn(Policy const& policy, Cost const& cost, sinkhorn_options const& options = {}) {
  return sinkhorn(policy, cost, equal_masses(cost.rows()), equal_masses(cost.cols()), options);
}
template <transport_costs Cost, class A, class B>
auto sinkhorn(Cost const& cost, Eigen::DenseBase<A> const& a, Eigen::DenseBase<B> const& b,
              sinkhorn_options const& options = {}) {
  return sinkhorn(simd, cost, a, b, options);
}
template <transport_costs Cost>
auto sinkhorn(Cost const& cost, sinkhorn_options const& options = {}) {
  return sinkhorn(simd, cost, options);
}

}  // namespace DIVOT_ABI
}  // namespace divot
