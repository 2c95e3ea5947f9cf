// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/sinkhorn.hpp>
#include <divot/core/types.hpp>
#include <divot/transport/semi_dual.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace divot {

/// Derivatives of a transport problem's value. Those in the masses are up to a constant that all of
/// a side's have in common: masses move between rows, and between columns, not out of the problem.
template <class T>
struct transport_gradient {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  matrix cost;                   ///< rows × columns
  vector row_mass, column_mass;  ///< 0 where there is no mass
  double epsilon = 0;
};

inline namespace DIVOT_ABI {

/// A solved transport problem: P = exp((f⊕g − C)/ε), f and g with ε log a and ε log b in them.
///
/// T: the numbers it is solved in; double.
template <class T>
class transport_solution {
 public:
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;
  using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  transport_status status = transport_status::empty;
  int sweeps = 0;
  int newton_steps = 0;
  double row_error = 0;       ///< Σ |P1 − a|
  double column_error = 0;    ///< Σ |Pᵀ1 − b|
  double transport_cost = 0;  ///< ⟨P, C⟩
  double entropic = 0;        ///< ⟨P, C⟩ + ε KL(P ‖ a⊗b), KL = Σ P ln(P/ab) − P + ab
  /// Σ a f̃ + Σ b g̃ + ε(Σ ab − Σ P), f̃ = f − ε log a: the entropic value to second order in the
  /// errors of the marginals, and never above it.
  double dual = 0;

  /// The potentials; −∞ where there is no mass. Σ b g̃ = 0 settles what may be moved between them.
  vector row_potentials() const {
    return spread(f.array() + lowest_cost, places_of_rows, all_rows);
  }
  vector column_potentials() const { return spread(g, places_of_columns, all_columns); }

  /// P, rows × columns.
  matrix plan() const {
    matrix full = matrix::Zero(all_rows, all_columns);
    scatter(compact_plan(), full);
    return full;
  }

  /// How a value changes with costs, masses and ε.
  ///
  ///   entropic         envelope: ∂C = P, ∂a = f̃, ∂ε = KL(P ‖ a⊗b)
  ///   transport_cost   implicit, through the equations that P solves:
  ///                    ∂C = P + P∘(κ⊕μ − C)/ε, ∂a = κ, ∂b = μ
  ///
  /// Errors  divot::error if the problem is not solved: both are derivatives of the limit. For what
  ///         a fixed number of sweeps computes there is sinkd
  transport_gradient<T> gradient(transport_objective of) const {
    if (status == transport_status::sweeps_done || status == transport_status::max_sweeps) {
      fail("transport_solution::gradient: the problem is not solved (the marginals are off by ",
           (row_error + column_error) / a.sum(),
           " of the mass): this gradient is that of the limit; raise max_sweeps or the tolerance");
    }
    transport_gradient<T> out{matrix::Zero(all_rows, all_columns), vector::Zero(all_rows),
                              vector::Zero(all_columns), 0};
    if (f.size() == 0) return out;
    matrix const p = compact_plan();
    if (of == transport_objective::entropic) {
      scatter(p, out.cost);
      vector const rows = (f - epsilon * a.array().log().matrix()).array() + lowest_cost;
      vector const columns = g - epsilon * b.array().log().matrix();
      place(rows, places_of_rows, out.row_mass);
      place(columns, places_of_columns, out.column_mass);
      out.epsilon = (entropic - transport_cost) / epsilon;
      return out;
    }
    vector kappa, mu;
    if (p.cols() <= p.rows()) {
      implicit(p, cost, kappa, mu);
    } else {
      implicit(p.transpose(), cost.transpose(), mu, kappa);
    }
    if (!kappa.allFinite() || !mu.allFinite()) {
      fail(
          "transport_solution::gradient: rows and columns fall apart into groups between which "
          "nothing moves: what the cost's gradient would be is lost; take a larger epsilon");
    }
    matrix through = -cost;
    through.colwise() += kappa;
    through.rowwise() += mu.transpose();
    through = through.cwiseProduct(p) / epsilon;
    out.epsilon = through.cwiseProduct(log_plan(cost, f, g, epsilon)).sum();
    scatter(through + p, out.cost);
    place(kappa, places_of_rows, out.row_mass);
    place(mu, places_of_columns, out.column_mass);
    return out;
  }

  // What the solver fills in: the problem without rows and columns of no mass, and with costs and
  // the rows' potentials from the lowest cost on.
  row_major cost;
  vector a, b, f, g;
  double epsilon = 1, lowest_cost = 0;
  std::vector<Eigen::Index> places_of_rows, places_of_columns;
  Eigen::Index all_rows = 0, all_columns = 0;

 private:
  /// κ of the rows and μ of the columns, for the side with fewer columns.
  static void implicit(matrix const& p, matrix const& cost, vector& kappa, vector& mu) {
    vector const r = p.rowwise().sum();
    column_coupling<T> const coupling(p, r);
    mu = coupling.solve(coupling.right_of(cost));
    matrix difference = cost;
    difference.rowwise() -= mu.transpose();
    kappa = p.cwiseProduct(difference).rowwise().sum().cwiseQuotient(r);
  }
  matrix compact_plan() const { return log_plan(cost, f, g, epsilon).array().exp().matrix(); }
  void scatter(matrix const& from, matrix& to) const {
    to(places_of_rows, places_of_columns) = from;
  }
  static void place(vector const& from, std::vector<Eigen::Index> const& places, vector& to) {
    to(places) = from;
  }
  static vector spread(vector const& from, std::vector<Eigen::Index> const& places,
                       Eigen::Index count) {
    vector to = vector::Constant(count, -std::numeric_limits<T>::infinity());
    place(from, places, to);
    return to;
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
