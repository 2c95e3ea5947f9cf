// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_sinkd.hpp>
#include <divot/exec/shared_limit.hpp>
#include <divot/exec/shared_sweeps.hpp>
#include <divot/row/sinkd_plan.hpp>

#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// How many numbers a problem is solved in.
inline index sinkd_solver_room(index samples, index sweeps) {
  number_pieces count(nullptr);
  if (sweeps > 0) {
    shared_history().take(samples, samples, sweeps, count);
  } else {
    solver_memory().take(samples, samples, count);
    count(samples);
  }
  count(3 * samples);
  return count.taken();
}

/// A problem's plan, its rows' parts of the loss and ∂L/∂C, by the threads of a group. A problem
/// that cannot be solved is lost as if its rows were bad. mass: of each sample; spare: 3 samples
/// numbers.
template <class Group, class Solver, class Call>
DIVOT_HD void solve_sinkd_with(Call const& call, index p, double mass, Solver const& solver,
                               double* sums_room, double* spare) {
  using sums = shared_sums<Group>;
  index const n = call.counts[p];
  double *const f = spare, *const g = spare + n, *const scales = spare + 2 * n;
  double const* const cost = call.costs_of(p);
  index const* const places = call.places + p * call.most;
  sinkd_value const value(call.what, mass);
  if (!solver.run()) {
    if (Group::owns(0)) call.bad[call.rows + p] = 1;
    sums::each(n, [&](index i) { call.bad[places[i]] = 1; });
    return;
  }
  sums::each(n, [&](index i) {
    f[i] = solver.row_potential(i);
    g[i] = solver.column_potential(i);
    scales[i] = call.share() * gradient_factor(call.options, places[i], *call.mean);
  });
  sums(sums_room).add(
      n, n,
      [&](index j, index i) {
        return value.of(solver.plan_across(i, j), value.slope(f[i], g[j], cost[i * n + j]));
      },
      [&](index i, double sum) {
        double& loss = call.losses[places[i]];
        loss = call.biased() ? loss + call.share() * sum : sum;
      });
  if (!call.wanted()) return;
  double* const slopes = call.slopes_of(p);
  auto const finish = [&](index i, index j, double pulled) {
    index const at = i * n + j;
    // rows that agree have no slope, and would take others' digits
    slopes[at] = cost[at] > 0 ? (pulled + scales[i] * solver.plan(i, j)) *
                                    ground_factor(call.ground, cost[at])
                              : 0;
  };
  if (goes_through_plan(call.what.gradient)) {
    solver.pull_back(
        [&](index i, index j) { return scales[i] * value.slope(f[i], g[j], cost[i * n + j]); },
        finish);
  } else {
    sums::each_entry(n, n, [&](index i, index j) { finish(i, j, 0); });
  }
  if (!call.biased()) return;
  // a row stands on both sides of its own side's problem
  sums::each_entry(n, n, [&](index i, index j) {
    if (j < i) slopes[i * n + j] = slopes[j * n + i] += slopes[i * n + j];
  });
}

/// Where costs lie, by the threads of a group. Those that leave the kernel's numbers their digits
/// are worked on there.
struct cost_range {
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
};
template <class Group>
DIVOT_HD cost_range find_cost_range(double const* cost, index count) {
  cost_range own;
  thread_share const mine = Group::share(count);
  for (index k = mine.begin; k < mine.end; k += mine.step) {
    own.lowest = cost[k] < own.lowest ? cost[k] : own.lowest;
    own.highest = cost[k] > own.highest ? cost[k] : own.highest;
  }
  return {Group::smallest(own.lowest), Group::largest(own.highest)};
}

/// One problem by so many sweeps.
template <class Group, class Call>
DIVOT_HD void sweep_sinkd_problem(Call const& call, index p, double* memory) {
  index const n = call.counts[p];
  if (n == 0 || call.is_lost(p)) return;
  double const mass = call.what.mass == mass::probability ? 1 / static_cast<double>(n) : 1;
  double const epsilon = call.what.epsilon;
  auto const range = find_cost_range<Group>(call.costs_of(p), n * n);
  number_pieces pieces(memory);
  shared_history history;
  history.take(n, n, call.what.sweeps, pieces);
  double* const spare = pieces(3 * n);
  shared_problem const problem{call.costs_of(p), mass, mass, epsilon, call.what.sweeps};
  auto const solve = [&](auto const& sweeps) {
    solve_sinkd_with<Group>(call, p, mass, sweeps, history.matrix.sums, spare);
  };
  if ((range.highest - range.lowest) / epsilon < 300 && range.highest / epsilon < 600) {
    solve(shared_kernel_sweeps<Group>(problem, history));
  } else {
    solve(shared_log_sweeps<Group>(problem, history));
  }
}

/// One problem to the limit.
template <class Group, class Call>
DIVOT_HD void limit_sinkd_problem(Call const& call, index p, double* memory) {
  index const n = call.counts[p];
  if (n == 0 || call.is_lost(p)) return;
  double const* const cost = call.costs_of(p);
  double const mass = call.what.mass == mass::probability ? 1 / static_cast<double>(n) : 1;
  auto const range = find_cost_range<Group>(cost, n * n);
  number_pieces pieces(memory);
  solver_memory all;
  all.take(n, n, pieces);
  double *const chief = pieces(n), *const spare = pieces(3 * n);
  solver_goal goal;
  goal.epsilon = call.what.epsilon;
  goal.range = range.highest - range.lowest;
  goal.mass = mass * static_cast<double>(n);
  if (call.what.tolerance > 0) goal.tolerance = call.what.tolerance;
  auto const solve = [&](auto const& limit) {
    solve_sinkd_with<Group>(call, p, mass, limit, all.matrix.sums, spare);
  };
  if (goal.range / goal.epsilon < 300) {
    solve(shared_limit<Group, shared_kernel<Group>>(cost, range.lowest, mass, goal, all, chief));
  } else {
    solve(
        shared_limit<Group, shared_logarithms<Group>>(cost, range.lowest, mass, goal, all, chief));
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
