// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/sinkhorn.hpp>
#include <divot/transport/coupling.hpp>
#include <divot/transport/mass_slopes.hpp>
#include <divot/transport/routes.hpp>
#include <divot/transport/unrolled.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace divot {

/// Derivatives of a transport problem's value. Where both sides' masses are kept exactly, those in
/// the masses are up to a constant that all of a side's have in common: mass moves between rows,
/// and between columns, not out of the problem.
struct transport_gradient {
  Eigen::MatrixXd cost;  ///< rows × columns; of a problem of points empty
  Eigen::MatrixXd x, y;  ///< of a problem of points: rows and columns × coordinates
  Eigen::VectorXd row_mass, column_mass;  ///< 0 where there is no mass
  double epsilon = 0;
};

inline namespace DIVOT_ABI {

/// A solved transport problem: P = exp((f⊕g − C)/ε), f and g with ε log a and ε log b in them.
template <class Costs, execution_policy Policy>
class transport_solution {
 public:
  using matrix = typename transport_types<Costs>::matrix;
  using vector = typename transport_types<Costs>::vector;

  transport_status status = transport_status::empty;
  transport_domain domain = transport_domain::kernel;
  std::string flaw;  ///< of a problem in a batch that is wrong: how
  int sweeps = 0;
  int newton_steps = 0;
  double relaxation = 1;      ///< how many times its step a sweep went at the end; 1: plain sweeps
  double row_error = 0;       ///< Σ |P1 − a|; with a penalty, − what the rows should best have
  double column_error = 0;    ///< Σ |Pᵀ1 − b|, likewise
  double mass = 0;            ///< Σ P
  double transport_cost = 0;  ///< ⟨P, C⟩
  /// ⟨P, C⟩ + ε KL(P ‖ a⊗b), KL = Σ P ln(P/ab) − P + ab; with penalties + ρ KL(P1 ‖ a) and the like
  double entropic = 0;
  /// Σ a f̃ + Σ b g̃ + ε(Σ ab − Σ P), f̃ = f − ε log a: the entropic value to second order in the
  /// errors of the marginals, and never above it. With a penalty ρ(1 − e^(−f̃/ρ)) for f̃.
  double dual = 0;

  /// Whether the plan is that of the limit, as nearly as the tolerance or the numbers let it be.
  bool solved() const {
    return status == transport_status::converged || status == transport_status::stalled_roundoff;
  }

  /// The potentials; −∞ where there is no mass. Σ b g̃ = 0 settles what may be moved between them
  /// where both sides' masses are kept exactly.
  vector row_potentials() const {
    return spread(f.array() + lowest_cost, places_of_rows, all_rows);
  }
  vector column_potentials() const { return spread(g, places_of_columns, all_columns); }

  /// P, rows × columns.
  matrix plan() const {
    matrix full = matrix::Zero(all_rows, all_columns);
    if (f.size() == 0) return full;
    passes().each_row(f, g, [&](Eigen::Index i, double const* p, double const*) {
      full(places_of_rows[place(i)], places_of_columns) =
          Eigen::Map<vector const>(p, g.size()).transpose();
    });
    return full;
  }
  /// P·V, without P. V: columns × anything
  template <class V>
  matrix apply(Eigen::MatrixBase<V> const& v) const {
    if (v.rows() != all_columns) {
      fail("transport_solution::apply: ", v.rows(), " rows for ", all_columns, " columns");
    }
    matrix out = matrix::Zero(all_rows, v.cols());
    if (f.size() == 0) return out;
    matrix const some = v.template cast<double>()(places_of_columns, every(v.cols()));
    passes().each_row(f, g, [&](Eigen::Index i, double const* p, double const*) {
      out.row(places_of_rows[place(i)]) =
          Eigen::Map<vector const>(p, g.size()).transpose().lazyProduct(some);
    });
    return out;
  }
  /// Pᵀ·U, without P. U: rows × anything
  template <class U>
  matrix apply_transposed(Eigen::MatrixBase<U> const& u) const {
    if (u.rows() != all_rows) {
      fail("transport_solution::apply_transposed: ", u.rows(), " rows for ", all_rows);
    }
    matrix out = matrix::Zero(all_columns, u.cols());
    vector sums(g.size());
    for (Eigen::Index k = 0; k < u.cols() && f.size() > 0; ++k) {
      vector const some = u.col(k).template cast<double>()(places_of_rows);
      passes().add_up(f, g, sums,
                      [&](Eigen::Index i, double const* p, double const*, double* sums_of) {
                        add_multiple_row<typename passes_type::team>(some(i), p, sums_of, g.size());
                      });
      out(places_of_columns, k) = sums;
    }
    return out;
  }
  /// A plan whose marginals are a and b to the last digits, near P: its rows and then its columns
  /// are cut down to what they may have, and what is missing is added as a product.
  /// Ref  Altschuler, Weed and Rigollet (2017), NeurIPS, algorithm 2
  matrix feasible_plan() const {
    matrix full = matrix::Zero(all_rows, all_columns);
    if (f.size() == 0) return full;
    if (!to.exact()) {
      fail("transport_solution::feasible_plan: with a penalty there are no marginals to keep");
    }
    matrix p(f.size(), g.size());
    passes().each_row(f, g, [&](Eigen::Index i, double const* row, double const*) {
      p.row(i) = Eigen::Map<vector const>(row, g.size()).transpose();
      double const sum = p.row(i).sum();
      if (sum > to.a(i)) p.row(i) *= to.a(i) / sum;
    });
    for (Eigen::Index j = 0; j < g.size(); ++j) {
      double const sum = p.col(j).sum();
      if (sum > to.b(j)) p.col(j) *= to.b(j) / sum;
    }
    vector const of_rows = (to.a - p.rowwise().sum()).cwiseMax(0);
    vector const of_columns = (to.b - p.colwise().sum().transpose()).cwiseMax(0);
    double const missing = std::max(of_rows.sum(), of_columns.sum());
    if (missing > 0) p.noalias() += of_rows / missing * of_columns.transpose();
    full(places_of_rows, places_of_columns) = p;
    return full;
  }

  /// How a value changes with costs (or points), masses and ε, by one of the routes:
  ///
  ///   unrolled         of a fixed number of sweeps, for both values: through each of them
  ///   envelope         of the solved problem's entropic value: ∂C = P, ∂a = f̃ + ε(Σb − 1),
  ///                    ∂ε = KL(P ‖ a⊗b); with a penalty ρ ∂a = ρ + ε Σb − (ρ + ε) e^(−f̃/ρ)
  ///   implicit         of the solved problem, through the equations that P solves: of the
  ///   transport
  ///                    cost ∂C = P + P∘(κ⊕μ − C)/ε, ∂a = κ, ∂b = μ, with a penalty times
  ///                    r/a (1 + ε/ρ); of the entropic value the envelope's
  ///   plan_detached    P held fixed: ∂C = P, NOT the gradient of the transport cost
  ///   points           through ∂C and the ground cost
  ///
  /// Memory  unrolled: rows × columns of double a few times, of points too, and 2·sweeps numbers a
  ///         row and a column. One thread
  /// Errors  divot::error for a route that the value, or how the problem was solved, does not have
  transport_gradient gradient(transport_objective of, route by) const {
    check_transport_route(*this, of, by);
    typename transport_types<Costs>::gradient out;
    out.row_mass = vector::Zero(all_rows);
    out.column_mass = vector::Zero(all_columns);
    if constexpr (Costs::has_points) {
      out.x = matrix::Zero(all_rows, costs.coordinates());
      out.y = matrix::Zero(all_columns, costs.coordinates());
    } else {
      out.cost = matrix::Zero(all_rows, all_columns);
    }
    if (f.size() == 0) return out;
    if (by == route::unrolled) {
      unroll(of, out);
      return out;
    }
    vector kappa = vector::Zero(f.size()), mu = vector::Zero(g.size()), of_rows, of_columns;
    bool const implicit = by == route::implicit && of == transport_objective::transport_cost;
    if (by == route::plan_detached) {
      bool const of_entropic = of == transport_objective::entropic;
      of_rows = of_entropic
                    ? detached_mass_slopes(to.epsilon, rows, to.a, to.row_penalty, to.b.sum())
                    : kappa;
      of_columns = of_entropic ? detached_mass_slopes(to.epsilon, columns, to.b, to.column_penalty,
                                                      to.a.sum())
                               : mu;
      out.epsilon = of_entropic ? divergence : 0;
    } else if (implicit) {
      slopes(kappa, mu);
      of_rows = implicit_mass_slopes(to.epsilon, kappa, to.a, rows, to.row_penalty);
      of_columns = implicit_mass_slopes(to.epsilon, mu, to.b, columns, to.column_penalty);
      out.epsilon = epsilon_slope(mu);
    } else {
      vector const &a = to.a, &b = to.b;
      vector const own_f = (f - to.epsilon * a.array().log().matrix()).array() + lowest_cost;
      vector const own_g = g - to.epsilon * b.array().log().matrix();
      of_rows = envelope_mass_slopes(to.epsilon, own_f, to.row_penalty, to.b.sum());
      of_columns = envelope_mass_slopes(to.epsilon, own_g, to.column_penalty, to.a.sum());
      out.epsilon = divergence;
    }
    out.row_mass(places_of_rows) = of_rows;
    out.column_mass(places_of_columns) = of_columns;
    if constexpr (!Costs::has_points) {
      passes().each_row(f, g, [&](Eigen::Index i, double* p, double const* c) {
        if (implicit) cost_slopes(to, mu, p, c);
        out.cost(places_of_rows[place(i)], places_of_columns) =
            Eigen::Map<vector const>(p, g.size()).transpose();
      });
    } else {
      check_slopes();
      out.x(places_of_rows, every(out.x.cols())) = point_slopes(costs, f, g, to, implicit, mu);
      Costs const turned = costs.transposed();
      out.y(places_of_columns, every(out.y.cols())) =
          point_slopes(turned, g, f, to.transposed(), implicit, kappa);
    }
    return out;
  }
  /// By the route that is exact: unrolled for a fixed number of sweeps; of a solved problem
  /// envelope for the entropic value, implicit for the transport cost.
  transport_gradient gradient(transport_objective of) const {
    if (status == transport_status::sweeps_done) return gradient(of, route::unrolled);
    return gradient(of, of == transport_objective::entropic ? route::envelope : route::implicit);
  }

  // What the solver fills in: the problem without rows and columns of no mass, and with costs and
  // the rows' potentials from the lowest cost on.
  Policy policy;
  Costs costs;
  transport_marginals to;
  vector f, g, rows, columns;  // the potentials, and the plan's sums
  vector start;                // of a fixed number of sweeps: where they began; empty: 0
  double lowest_cost = 0, divergence = 0;  // KL(P ‖ a⊗b)
  transport_places places_of_rows, places_of_columns;
  Eigen::Index all_rows = 0, all_columns = 0;

 private:
  using passes_type = plan_passes<Policy>;
  using costs_type = typename passes_type::costs_type;

  passes_type passes() const { return passes_type(policy, costs_type(costs), to.epsilon); }
  static std::size_t place(Eigen::Index i) { return static_cast<std::size_t>(i); }
  static vector spread(vector const& from, transport_places const& places, Eigen::Index count) {
    vector all = vector::Constant(count, -std::numeric_limits<double>::infinity());
    all(places) = from;
    return all;
  }

  static void check_slopes() {
    static_assert(!Costs::has_points || Costs::has_slopes,
                  "divot: the gradient with respect to points exists for divot::ground's costs; "
                  "of a function of your own only its values are known");
  }
  void unroll(transport_objective of, typename transport_types<Costs>::gradient& out) const {
    using team = typename passes_type::team;
    auto const slopes = unrolled_gradient(cost_rows<team>(costs), to, start, sweeps, of);
    out.row_mass(places_of_rows) = slopes.row_mass;
    // all mass lies `lowest_cost` higher, and it is the columns' last
    out.column_mass(places_of_columns) = slopes.column_mass.array() + lowest_cost;
    out.epsilon = slopes.epsilon;
    if constexpr (!Costs::has_points) {
      out.cost(places_of_rows, places_of_columns) = slopes.slopes;
    } else {
      check_slopes();
      out.x(places_of_rows, every(out.x.cols())) =
          slopes_of_points<team>(costs, slopes.costs, slopes.slopes);
      out.y(places_of_columns, every(out.y.cols())) = slopes_of_points<team>(
          costs.transposed(), slopes.costs.transpose(), slopes.slopes.transpose());
    }
  }

  /// κ and μ of ⟨P, C⟩, by the side with fewer columns.
  void slopes(vector& kappa, vector& mu) const {
    auto const costs_of = [](Eigen::Index, double const* c) { return c; };
    if (g.size() <= f.size()) {
      auto const over = passes();
      mu = implicit_column_slopes(over, to, f, g, rows, columns, costs_of);
      kappa = implicit_row_slopes(over, to, f, g, rows, mu);
    } else {
      Costs const turned = costs.transposed();
      transport_marginals const to_turned = to.transposed();
      passes_type const over(policy, costs_type(turned), to.epsilon);
      kappa = implicit_column_slopes(over, to_turned, g, f, columns, rows, costs_of);
      mu = implicit_row_slopes(over, to_turned, g, f, columns, kappa);
    }
    if (!kappa.allFinite() || !mu.allFinite()) {
      fail(
          "transport_solution::gradient: rows and columns fall apart into groups between which "
          "nothing moves: what the cost's gradient would be is lost; take a larger epsilon");
    }
  }
  /// Row i of ∂⟨P, C⟩/∂C, in the place of row i of P.
  static void cost_slopes(transport_marginals const& to, vector const& mu, double* p,
                          double const* c) {
    each_implicit_slope(to, mu, p, c, [&](Eigen::Index j, double slope) { p[j] += slope; });
  }
  double epsilon_slope(vector const& mu) const {
    vector sums(1);
    passes().add_up(f, g, sums, [&](Eigen::Index i, double* p, double const* c, double* sum) {
      each_implicit_slope(to, mu, p, c, [&](Eigen::Index j, double slope) {
        double const logarithm = (f(i) + g(j) - c[j]) / to.epsilon;
        double const own = to.exact() ? 0 : std::log(to.a(i)) + std::log(to.b(j));
        sum[0] += slope * (logarithm - own);
      });
    });
    return sums(0);
  }
  matrix point_slopes(Costs const& between, vector const& own, vector const& other,
                      transport_marginals const& marginals, bool implicit, vector const& mu) const {
    matrix out(own.size(), between.coordinates());
    passes_type const over(policy, costs_type(between), to.epsilon);
    over.each_row(own, other, [&](Eigen::Index i, double* p, double const* c) {
      if (implicit) cost_slopes(marginals, mu, p, c);
      vector slope(out.cols());
      between.template pull_back<typename passes_type::team>(i, c, p, slope.data());
      out.row(i) = slope.transpose();
    });
    return out;
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
