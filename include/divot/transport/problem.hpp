// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/transport/cost_range.hpp>
#include <divot/transport/solution.hpp>
#include <divot/transport/solver.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

namespace divot {

/// A transport problem that has no solution: which of the flaws that a batch's status names it is.
class transport_error : public error {
 public:
  transport_error(std::string const& what, transport_status status)
      : error(what), status_(status) {}
  transport_status status() const { return status_; }

 private:
  transport_status status_;
};

inline namespace DIVOT_ABI {

/// The function that was called, and which of its problems this is, for what is said about it.
struct transport_caller {
  char const* name = "sinkhorn";
  char const* unit = "";  // what the call's problems are called
  index number = -1;      // −1: they have no number
};

template <class... Parts>
[[noreturn]] DIVOT_COLD void refuse_problem(transport_caller const& who, transport_status status,
                                            Parts... parts) {
  message m;
  m << who.name << ": " << who.unit;
  if (who.number >= 0) m << " " << who.number;
  if (*who.unit != '\0') m << ": ";
  (m << ... << parts);
  throw transport_error(m.text(), status);
}

/// who: the function that was called
inline void check_sinkhorn(sinkhorn_options const& options, char const* who) {
  if (!(options.epsilon > 0 && std::isfinite(options.epsilon))) {
    fail(who, ": epsilon is ", options.epsilon, "; it must be positive and finite");
  }
  if (!(options.tolerance >= 0 && std::isfinite(options.tolerance))) {
    fail(who, ": the tolerance is ", options.tolerance, "; it must be finite and not negative");
  }
  if (options.sweeps < 0 || options.max_sweeps < 1 || options.newton_steps < 0) {
    fail(who, ": sweeps, max_sweeps and newton_steps are ", options.sweeps, ", ",
         options.max_sweeps, " and ", options.newton_steps, "; they must be at least 0, 1 and 0");
  }
  if (!(options.row_penalty > 0) || !(options.column_penalty > 0)) {
    fail(who, ": the penalties are ", options.row_penalty, " and ", options.column_penalty,
         "; they must be positive, infinite where masses are kept exactly");
  }
}

/// The masses that are not 0, and their places; others than finite numbers ≥ 0 are refused.
template <class Masses>
typename transport_types<Masses>::vector positive_masses(Masses const& given,
                                                         transport_caller const& who,
                                                         char const* what,
                                                         transport_places& places) {
  typename transport_types<Masses>::vector const all =
      given.derived().template cast<double>().reshaped();
  // what is not finite is not 0 times 0
  if (all.size() > 0 && all.minCoeff() > 0 && (0 * all).sum() == 0) {
    places.resize(static_cast<std::size_t>(all.size()));
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<Eigen::Index>(i);
    return all;
  }
  for (Eigen::Index i = 0; i < all.size(); ++i) {
    if (!(all(i) >= 0 && std::isfinite(all(i)))) {
      refuse_problem(who, transport_status::bad_input, what, " ", i, " has mass ", all(i),
                     "; masses must be finite and not negative");
    }
    if (all(i) > 0) places.push_back(i);
  }
  return all(places);
}

template <class Costs>
[[noreturn]] void refuse_cost(Costs const& costs, transport_caller const& who) {
  typename transport_types<Costs>::vector spare(costs.cols());
  for (Eigen::Index i = 0; i < costs.rows(); ++i) {
    double const* const c = costs.template row<scalar_team<double>>(i, spare.data());
    for (Eigen::Index j = 0; j < costs.cols(); ++j) {
      if (!std::isfinite(c[j])) {
        refuse_problem(who, transport_status::bad_input, "the cost in row ", i, ", column ", j,
                       " is ", c[j], "; costs must be finite");
      }
    }
  }
  refuse_problem(who, transport_status::bad_input, "costs must be finite");
}

/// Values and errors.
template <class Solution>
void take_outcome(Solution& s, transport_outcome&& found) {
  transport_marginals const& to = s.to;
  double const epsilon = to.epsilon;
  s.status = found.status;
  s.domain = found.domain;
  s.sweeps = found.sweeps;
  s.newton_steps = found.newton_steps;
  s.relaxation = found.relaxation;
  s.rows.swap(found.rows);
  s.columns.swap(found.columns);
  s.mass = s.rows.sum();
  s.transport_cost = found.paid + s.lowest_cost * s.mass;
  using vector = typename Solution::vector;
  vector const f = s.f - epsilon * log_masses<vector>(to.a);
  vector const g = s.g - epsilon * log_masses<vector>(to.b);
  double const product = to.a.sum() * to.b.sum();
  s.divergence = (s.rows.dot(f) + s.columns.dot(g) - found.paid) / epsilon - s.mass + product;
  s.entropic = s.transport_cost + epsilon * s.divergence;
  s.dual = s.lowest_cost * to.a.sum() + epsilon * (product - s.mass);
  auto const side = [&](vector const& masses, vector const& x, vector const& sums, double penalty) {
    if (std::isinf(penalty)) {
      s.dual += masses.dot(x);
      return (sums - masses).template lpNorm<1>();
    }
    double error = 0;
    for (Eigen::Index i = 0; i < masses.size(); ++i) {
      s.dual += masses(i) * transport_marginals::reward(x(i), penalty);
      error += std::abs(sums(i) - masses(i) * std::exp(-x(i) / penalty));
      double const log_ratio = sums(i) > 0 ? std::log(sums(i) / masses(i)) : 0;
      s.entropic += penalty * (sums(i) * log_ratio - sums(i) + masses(i));
    }
    return error;
  };
  s.row_error = side(to.a, f, s.rows, to.row_penalty);
  s.column_error = side(to.b, g, s.columns, to.column_penalty);
}

/// Whether costs are those of divot::ground between points.
template <class Costs>
inline constexpr bool has_ground_costs = false;
template <ground_cost Ground>
inline constexpr bool has_ground_costs<point_costs<Ground>> = true;

/// Solves a problem whose options are checked. memory: for one problem after the other.
template <class Policy, class Costs, class A, class B>
transport_solution<Costs, Policy> solve_problem(Policy const& policy, Costs const& all,
                                                Eigen::DenseBase<A> const& a,
                                                Eigen::DenseBase<B> const& b,
                                                sinkhorn_options const& options, bool narrow,
                                                transport_caller const& who,
                                                transport_memory<Policy>& memory) {
  Eigen::Index const n = all.rows(), m = all.cols();
  if (a.size() != n || b.size() != m) {
    refuse_problem(who, transport_status::bad_input, "the cost is ", n, "×", m, "; there are ",
                   a.size(), " row masses and ", b.size(), " column masses");
  }
  if (!options.start.empty() && static_cast<Eigen::Index>(options.start.size()) != m) {
    refuse_problem(who, transport_status::bad_input, "start has ",
                   static_cast<Eigen::Index>(options.start.size()), " potentials for ", m,
                   " columns");
  }
  transport_solution<Costs, Policy> s;
  s.policy = policy;
  s.all_rows = n;
  s.all_columns = m;
  transport_marginals& to = s.to;
  to.epsilon = options.epsilon;
  to.row_penalty = options.row_penalty;
  to.column_penalty = options.column_penalty;
  to.a = positive_masses(a, who, "row", s.places_of_rows);
  to.b = positive_masses(b, who, "column", s.places_of_columns);
  double const mass = to.a.sum(), other = to.b.sum();
  if (n == 0 || m == 0 || (to.a.size() == 0 && to.b.size() == 0)) return s;
  if (!(std::max(mass, other) <= 1e150)) {
    refuse_problem(who, transport_status::bad_input, "the rows' masses add up to ", mass,
                   ", the columns' to ", other,
                   "; values have their product in them: 1e150 at most");
  }
  double const gap = std::abs(mass - other) / std::max(mass, other);
  if (to.exact() && !(gap <= mass_gap<typename A::Scalar, typename B::Scalar>)) {
    refuse_problem(who, transport_status::mass_mismatch, "the rows' masses add up to ", mass,
                   ", the columns' to ", other, "; they must agree");
  }
  if (to.a.size() == 0 || to.b.size() == 0) return s;  // one side has no mass to give
  if (to.exact()) to.b *= mass / other;
  row_blocks<Policy> const blocks(policy, n, m);
  using team = row_team<Policy, typename Costs::scalar>;
  dense_costs<typename transport_types<Costs>::number> dense;  // of points that are few enough
  bool in_memory = false;
  std::pair<double, double> ends;
  if constexpr (has_ground_costs<Costs>) {
    double const entries = static_cast<double>(n) * static_cast<double>(m);
    in_memory = entries <= most_entries_in_memory && all.are_dear();
    if (in_memory) dense = all.template in_memory<team>(blocks);
  }
  ends = in_memory ? range_of_costs<row_team<Policy, double>>(blocks, dense)
                   : range_of_costs<team>(blocks, all);
  if (!std::isfinite(ends.first) || !std::isfinite(ends.second)) refuse_cost(all, who);
  double const range = ends.second - ends.first;
  if (!(range / options.epsilon <= 1e13 && options.epsilon <= 1e300)) {
    refuse_problem(who, transport_status::bad_input, "epsilon is ", options.epsilon,
                   " for costs that range over ", range,
                   "; between the two no double can tell plans apart");
  }
  double const highest = std::max(std::abs(ends.first), std::abs(ends.second));
  // a constant far above the differences would take their digits; with a penalty it is no constant
  bool const shift = !Costs::has_points && to.exact() && highest > 2 * range;
  s.lowest_cost = shift ? ends.first : 0;
  bool const whole = to.a.size() == n && to.b.size() == m;
  Costs const some = whole ? all : all.part(s.places_of_rows, s.places_of_columns);
  if (in_memory && !whole) dense = dense.part(s.places_of_rows, s.places_of_columns);
  s.costs = shift ? some.from(s.lowest_cost) : some;
  s.f.setZero(to.a.size());
  s.g.setZero(to.b.size());
  double const reach = shift ? range : highest;
  // potentials larger than any solution's would cost the others digits
  double const penalty = std::min(to.row_penalty, to.column_penalty);
  double const most = 2 * reach + 1e3 * (to.epsilon + (to.exact() ? 0 : penalty));
  for (Eigen::Index j = 0; j < s.g.size() && !options.start.empty(); ++j) {
    Eigen::Index const place = s.places_of_columns[static_cast<std::size_t>(j)];
    double const given = options.start[static_cast<std::size_t>(place)];
    s.g(j) = std::abs(given) <= most ? given : 0;
  }
  if (options.sweeps > 0) s.start = s.g;
  double const tolerance = options.tolerance > 0 ? options.tolerance : narrow ? 1e-5 : 1e-9;
  using costs_type = cost_rows<row_team<Policy, double>>;
  auto const solve = [&](costs_type const& costs, transport_marginals const& of, auto& f, auto& g) {
    return sinkhorn_solver<Policy>(policy, costs, of, options, tolerance, reach, narrow, memory)
        .run(f, g);
  };
  transport_outcome found;
  if (options.sweeps > 0 || s.g.size() <= s.f.size() || !options.start.empty()) {
    found = solve(in_memory ? costs_type(dense) : costs_type(s.costs), to, s.f, s.g);
  } else {
    // the semi-dual's variables are the columns: fewer is better
    transport_marginals const to_turned = to.transposed();
    if (in_memory) {
      auto const turned = dense.transposed();
      found = solve(costs_type(turned), to_turned, s.g, s.f);
    } else {
      Costs const turned = s.costs.transposed();
      found = solve(costs_type(turned), to_turned, s.g, s.f);
    }
    found.rows.swap(found.columns);
  }
  take_outcome(s, std::move(found));
  return s;
}
template <class Policy, class Costs, class A, class B>
transport_solution<Costs, Policy> solve_problem(Policy const& policy, Costs const& all,
                                                Eigen::DenseBase<A> const& a,
                                                Eigen::DenseBase<B> const& b,
                                                sinkhorn_options const& options, bool narrow,
                                                transport_caller const& who = {}) {
  transport_memory<Policy> memory;
  return solve_problem(policy, all, a, b, options, narrow, who, memory);
}

}  // namespace DIVOT_ABI
}  // namespace divot
