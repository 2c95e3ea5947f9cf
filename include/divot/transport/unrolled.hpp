// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkhorn.hpp>
#include <divot/row/sinkhorn_sweeps.hpp>
#include <divot/transport/passes.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// The costs of a problem and its value's derivatives through every sweep.
template <class Team>
struct unrolled_slopes {
  using vector = typename transport_types<Team>::vector;
  using matrix = typename transport_types<Team>::matrix;
  using row_list = typename transport_types<Team>::rows;
  row_list costs, slopes;  // C, and ∂/∂C
  vector row_mass, column_mass;
  double epsilon = 0;
};

/// Whether K = exp(−C/ε) and all factors that sweeps make of it are numbers of double.
template <class Rows>
bool sweeps_by_kernel(Rows const& costs, transport_marginals const& to) {
  double const highest = costs.maxCoeff(), lowest = costs.minCoeff();
  bool const near = highest - lowest <= 230 * to.epsilon &&
                    std::max(std::abs(highest), std::abs(lowest)) <= 300 * to.epsilon;
  auto const alike = [](auto const& masses) {
    return masses.minCoeff() >= 1e-30 * masses.maxCoeff();
  };
  return near && alike(to.a) && alike(to.b);
}

/// The gradient of what `sweeps` sweeps of rows and then columns compute: of ⟨P, C⟩ or the entropic
/// value, through the plan and every sweep that made it, and directly. The sweeps are made once
/// more, their history is kept and undone; the plan depends on C/ε and start/ε alone, which gives
/// the derivative in ε.
///
/// start    the columns' potentials, as many as there are columns; empty: 0
/// Memory   rows × columns of double three times, and 2·sweeps numbers a row and a column
template <class Team>
unrolled_slopes<Team> unrolled_gradient(cost_rows<Team> const& costs, transport_marginals const& to,
                                        typename unrolled_slopes<Team>::vector const& start,
                                        index sweeps, transport_objective of) {
  using vector = typename unrolled_slopes<Team>::vector;
  using row_list = typename unrolled_slopes<Team>::row_list;
  index const n = costs.rows(), m = costs.cols();
  unrolled_slopes<Team> out{row_list(n, m), row_list(n, m), vector(n), vector(m)};
  vector row(m);
  for (index i = 0; i < n; ++i) {
    double const* const c = costs.row(i, row.data());
    out.costs.row(i) = Eigen::Map<vector const>(c, m).transpose();
  }
  bool const by_kernel = start.isZero(0) && sweeps_by_kernel(out.costs, to);
  row_list kernel(by_kernel ? n : 0, m);
  row_list of_rows(sweeps, n), of_columns(sweeps + 1, m), row_sums(sweeps, n),
      column_sums(sweeps, m);
  vector spare(n + 3 * m);
  sinkhorn_problem const problem{
      n,           m,          out.costs.data(), to.a.data(),
      to.b.data(), to.epsilon, sweeps,           start.size() > 0 ? start.data() : nullptr};
  sinkhorn_history const history{of_rows.data(),     of_columns.data(), row_sums.data(),
                                 column_sums.data(), kernel.data(),     spare.data()};
  double const epsilon = to.epsilon, mass_a = to.a.sum(), mass_b = to.b.sum();
  bool const entropic = of == transport_objective::entropic;
  auto const undo = [&](auto const& made) {
    made.run();
    vector f(n), g(m);  // f̃, g̃: C + ε ln(P/ab) is f̃⊕g̃
    for (index i = 0; i < n; ++i) f(i) = made.row_potential(i) - epsilon * std::log(to.a(i));
    for (index j = 0; j < m; ++j) g(j) = made.column_potential(j) - epsilon * std::log(to.b(j));
    if (entropic) {
      out.slopes = f.replicate(1, m) + g.transpose().replicate(n, 1);
    } else {
      out.slopes = out.costs;
    }
    made.pull_back(out.slopes.data());
    out.epsilon = -(out.slopes.cwiseProduct(out.costs).sum() + made.start_slope()) / epsilon;
    for (index i = 0; i < n; ++i) out.row_mass(i) = made.row_mass_slope(i);
    for (index j = 0; j < m; ++j) out.column_mass(j) = made.column_mass_slope(j);
    // and what the value changes by itself
    vector columns = vector::Zero(m);
    double divergence = mass_a * mass_b;
    for (index i = 0; i < n; ++i) {
      made.plan(i, row.data());
      out.slopes.row(i) += row.transpose();
      if (!entropic) continue;
      out.row_mass(i) += epsilon * (mass_b - row.sum() / to.a(i));
      columns += row;
      vector const own = out.costs.row(i).transpose();
      divergence += row.dot((((g - own).array() + f(i)) / epsilon - 1).matrix());
    }
    if (!entropic) return;
    vector const& b = to.b;
    out.column_mass.array() += epsilon * (mass_a - columns.array() / b.array());
    out.epsilon += divergence;
  };
  if (by_kernel) {
    undo(kernel_sweeps<Team>(problem, history));
  } else {
    undo(log_sweeps<Team>(problem, history));
  }
  return out;
}

/// From ∂L/∂C to the points of the rows, through the costs.
template <class Team, class Costs>
auto slopes_of_points(Costs const& between, typename unrolled_slopes<Team>::row_list const& costs,
                      typename unrolled_slopes<Team>::row_list slopes) {
  typename unrolled_slopes<Team>::matrix out(costs.rows(), between.coordinates());
  typename unrolled_slopes<Team>::vector slope(out.cols());
  for (index i = 0; i < out.rows(); ++i) {
    between.template pull_back<Team>(i, costs.row(i).data(), slopes.row(i).data(), slope.data());
    out.row(i) = slope.transpose();
  }
  return out;
}

}  // namespace DIVOT_ABI
}  // namespace divot
