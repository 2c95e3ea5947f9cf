// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/sinkhorn_sweeps.hpp>
#include <divot/transport/semi_dual.hpp>
#include <divot/transport/solution.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// Solves one problem, in place: sweeps on potentials, and Newton's method on the semi-dual where
/// they converge slowly.
template <class Team>
class sinkhorn_solver {
 public:
  using T = typename Team::scalar;
  using solution = transport_solution<T>;
  using vector = typename solution::vector;
  using row_major = typename solution::row_major;

  sinkhorn_solver(solution& s, sinkhorn_options const& options, double tolerance)
      : s_(s), options_(options), goal_(tolerance * s.a.sum()) {}

  void run() {
    if (s_.f.size() == 0) return;
    if (options_.sweeps > 0) {
      turn(s_.cost, s_.a, s_.b, s_.f, s_.g);
    } else if (s_.cost.cols() <= s_.cost.rows()) {
      turn(s_.cost, s_.a, s_.b, s_.f, s_.g);
    } else {
      // the semi-dual's variables are the columns: fewer is better
      row_major const transposed = s_.cost.transpose();
      turn(transposed, s_.b, s_.a, s_.g, s_.f);
    }
    finish();
    bool const within = s_.row_error + s_.column_error <= 2 * goal_;
    if (s_.status == transport_status::converged && !within) {
      // the plan itself is rounded more than its sums were
      s_.status = transport_status::stalled_roundoff;
    }
  }

 private:
  /// What Newton's method is worth: so many sweeps' worth of work a step, by the columns.
  static double sweeps_per_step(double columns) { return 2 + columns / 8; }
  static constexpr Eigen::Index most_columns = 1024;
  static constexpr int first_sweeps = 10;
  /// With an ε below this part of the costs' range Newton's method begins too far away: problems of
  /// larger ones, each a quarter of the one before, lead there.
  static constexpr double small_part = .004;

  void turn(row_major const& cost, vector const& a, vector const& b, vector& f, vector& g) {
    g.setZero();
    double const range = cost.maxCoeff() - cost.minCoeff();
    double stage = options_.epsilon;
    if (options_.sweeps == 0 && options_.newton_steps > 0 && cost.cols() <= most_columns) {
      while (stage < small_part * range) stage *= 4;
    }
    for (; stage > options_.epsilon; stage /= 4) solve(cost, a, b, f, g, stage, 1e-2 * a.sum());
    solve(cost, a, b, f, g, options_.epsilon, goal_);
  }

  /// A problem with this ε, to this error of the columns, from the columns' potentials.
  void solve(row_major const& cost, vector const& a, vector const& b, vector& f, vector& g,
             double epsilon, double goal) {
    Eigen::Index const n = cost.rows(), m = cost.cols();
    std::vector<double> spare(static_cast<std::size_t>(n + 3 * m));
    sinkhorn_history history;
    history.spare = spare.data();
    sinkhorn_problem const problem{n, m, cost.data(), a.data(), b.data(), epsilon, 1};
    log_sweeps<Team> const step(problem, history);
    vector sums(m);
    double error = std::numeric_limits<double>::infinity(), rate = 1;
    bool const may_step = options_.newton_steps > 0 && m <= most_columns && m > 1;
    int next_try = s_.sweeps + first_sweeps, stalled = 0;
    double best = std::numeric_limits<double>::infinity();
    for (;;) {
      step.rows(g.data(), f.data(), sums.data());
      double const now = (sums - b).template lpNorm<1>();
      rate = now / error;
      error = now;
      if (options_.sweeps == 0) {
        if (error <= goal) {
          s_.status = transport_status::converged;
          return;
        }
        stalled = error < best ? 0 : stalled + 1;
        best = std::min(best, error);
        if (stalled == 20 && error <= 1e-8 * a.sum()) {
          s_.status = transport_status::stalled_roundoff;
          return;
        }
        if (s_.sweeps >= options_.max_sweeps) {
          s_.status = transport_status::max_sweeps;
          return;
        }
        if (may_step && s_.sweeps >= next_try && s_.newton_steps < options_.newton_steps) {
          double const left = rate < 1 ? std::log(goal / error) / std::log(rate) : HUGE_VAL;
          if (!(left < 3 * sweeps_per_step(static_cast<double>(m)))) {
            if (newton(step, problem, goal, f, g, sums, error)) return;
            next_try = 2 * s_.sweeps;  // from further on it may find its way
            continue;
          }
        }
      }
      step.columns(g.data(), f.data(), sums.data(), g.data());
      ++s_.sweeps;
      if (s_.sweeps == options_.sweeps) {
        s_.status = transport_status::sweeps_done;
        return;
      }
    }
  }

  /// Steps on the columns' potentials, the rows' following; true where that ended the solution.
  bool newton(log_sweeps<Team> const& step, sinkhorn_problem const& problem, double goal, vector& f,
              vector& g, vector& sums, double& error) {
    auto const cost = Eigen::Map<row_major const>(problem.cost, problem.rows, problem.columns);
    auto const a = Eigen::Map<vector const>(problem.row_mass, problem.rows);
    auto const b = Eigen::Map<vector const>(problem.column_mass, problem.columns);
    vector next_g(g.size()), next_f(f.size()), next_sums(sums.size());
    double const range = cost.maxCoeff() - cost.minCoeff();
    while (s_.newton_steps < options_.newton_steps) {
      typename solution::matrix const plan = log_plan(cost, f, g, problem.epsilon).array().exp();
      column_coupling<T> const coupling(plan, a);
      if (!coupling.solved()) return false;
      vector const rest = b - sums;
      vector const direction = problem.epsilon * coupling.solve(rest);
      if (!direction.allFinite()) return false;
      ++s_.newton_steps;
      double const value = a.dot(f) + b.dot(g), slope = rest.dot(direction);
      bool better = false;
      // where columns hardly hang together a step goes anywhere
      double const whole =
          std::min(1., (range + problem.epsilon) / direction.cwiseAbs().maxCoeff());
      for (double t = whole; t > 1e-8 * whole && !better; t /= 2) {
        next_g = g + t * direction;
        step.rows(next_g.data(), next_f.data(), next_sums.data());
        double const next_error = (next_sums - b).template lpNorm<1>();
        double const next_value = a.dot(next_f) + b.dot(next_g);
        better = next_value >= value + 1e-4 * t * slope && next_value > value;
        better = better || next_error <= (1 - .5 * std::min(t, .5)) * error;
        if (better) error = next_error;
      }
      if (!better) return false;
      g.swap(next_g);
      f.swap(next_f);
      sums.swap(next_sums);
      if (error <= goal) {
        s_.status = transport_status::converged;
        return true;
      }
    }
    return false;
  }

  /// Moves what is settled by convention between the potentials; values and errors.
  void finish() {
    double const epsilon = options_.epsilon;
    vector const own_g = s_.g - epsilon * s_.b.array().log().matrix();
    double const shift = s_.b.dot(own_g) / s_.b.sum();
    s_.g.array() -= shift;
    s_.f.array() += shift;
    vector const log_a = s_.a.array().log(), log_b = s_.b.array().log();
    vector columns = vector::Zero(s_.b.size());
    double divergence = 0, total = 0;
    for (Eigen::Index i = 0; i < s_.a.size(); ++i) {
      double row = 0;
      for (Eigen::Index j = 0; j < s_.b.size(); ++j) {
        double const exponent = (s_.f(i) + s_.g(j) - s_.cost(i, j)) / epsilon;
        double const p = std::exp(exponent);
        row += p;
        columns(j) += p;
        s_.transport_cost += p * s_.cost(i, j);
        divergence += p * (exponent - log_a(i) - log_b(j));
      }
      total += row;
      s_.row_error += std::abs(row - s_.a(i));
    }
    s_.transport_cost += s_.lowest_cost * total;
    s_.column_error = (columns - s_.b).template lpNorm<1>();
    double const product = s_.a.sum() * s_.b.sum();
    s_.entropic = s_.transport_cost + epsilon * (divergence - total + product);
    s_.dual = s_.a.dot(s_.f - epsilon * log_a) + s_.b.dot(s_.g - epsilon * log_b) +
              s_.lowest_cost * s_.a.sum() + epsilon * (product - total);
  }

  solution& s_;
  sinkhorn_options const& options_;
  double goal_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
