// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkd.hpp>
#include <divot/exec/device_operands.hpp>
#include <divot/exec/ground_tiles.hpp>
#include <divot/exec/shared_limit.hpp>
#include <divot/exec/shared_sweeps.hpp>
#include <divot/row/sinkd_plan.hpp>

#include <cstdint>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// What a problem is between. The debiased form is made of all three.
enum class sinkd_between { sides, students, teachers };

/// SinKD's problems on a device, but for the rows themselves: plain numbers and pointers, whatever
/// the storage.
template <class Ground>
struct sinkd_problems {
  using ground_type = Ground;

  device_batch options;
  sinkd what;
  Ground ground;
  double weight;  // of the term
  index rows, classes;
  index problems, most;             // how many, of at most so many samples
  bool with_student, with_teacher;  // the gradients that are wanted
  bool apart;  // slices of classes have sums of their own until they are added up

  // What a call works in.
  index *places, *counts;   // each problem's rows, `most` apart, and how many
  std::uint8_t* bad;        // a row each, and then a problem each
  double* mean;             // what the sum over rows is multiplied by
  double *parts, *costs;    // of each problem most × most, and of each slice
  double *slopes, *losses;  // the slopes of one kind of problem behind those of another

  sinkd_between between = sinkd_between::sides;  // what is worked out at the time

  DIVOT_HD bool biased() const { return between != sinkd_between::sides; }
  /// What a problem's value is multiplied by.
  DIVOT_HD double share() const { return biased() ? -.5 : 1; }
  /// Whether its slopes are.
  DIVOT_HD bool wanted() const {
    return between == sinkd_between::sides      ? with_student || with_teacher
           : between == sinkd_between::students ? with_student
                                                : with_teacher;
  }
  DIVOT_HD index problem_of(index r) const { return r / most; }
  DIVOT_HD bool is_lost(index p) const { return bad[rows + p] != 0; }
  DIVOT_HD double gradient_factor(index r) const {
    return *mean * weight_of(options, r) *
           (options.upstream.empty() ? 1 : options.upstream.data[r]);
  }
  DIVOT_HD double* costs_of(index p) const { return costs + p * most * most; }
  DIVOT_HD double* slopes_of(index p) const {
    return slopes + (static_cast<index>(between) * problems + p) * most * most;
  }
  /// What the sum over rows is multiplied by; 0 where only the rows themselves tell.
  double given_mean() const {
    if (options.reduction != reduction::mean) return 1;
    if (options.normaliser != 0) return 1 / options.normaliser;
    return options.mask.empty() ? 1 / static_cast<double>(rows > 0 ? rows : 1) : 0;
  }
};

/// A SinKD call on a device, in the form that its kernels take.
template <class T, class TeacherStorage, class StudentStorage, class StudentOut, class TeacherOut,
          class Ground>
struct device_sinkd : sinkd_problems<Ground> {
  using number = T;

  device_operand<TeacherStorage> teacher;
  device_operand<StudentStorage> student;
  operand_kind teacher_kind;
  device_view<StudentOut> student_to;
  device_view<TeacherOut> teacher_to;
  bool accumulate;
  double scale;  // of the gradients
  index step;    // numbers from row to row of
  T *student_rows, *teacher_rows, *bars;

  DIVOT_HD gathered_rows<T const> side(bool of_teacher, index p) const {
    return {of_teacher ? teacher_rows : student_rows, step, this->places + p * this->most,
            this->counts[p]};
  }
};

/// The numbers between rows of what is compared: whole packs.
template <class T>
constexpr index sinkd_step(index classes) {
  constexpr index pack = 16 / static_cast<index>(sizeof(T));
  return (classes + pack - 1) / pack * pack;
}

/// Row r's place in its problem, and with the problem's last row how many there are.
template <class Call>
DIVOT_HD void place_sinkd_row(Call const& call, index r) {
  index const p = call.problem_of(r), begin = p * call.most;
  index before = r - begin;
  if (!call.options.mask.empty()) {
    before = 0;
    for (index i = begin; i < r; ++i) before += is_valid(call.options, i) ? 1 : 0;
  }
  bool const counts = is_valid(call.options, r);
  if (counts) call.places[begin + before] = r;
  if (r + 1 == begin + call.most) call.counts[p] = before + (counts ? 1 : 0);
  call.bad[r] = 0;
  if (r == begin) call.bad[call.rows + p] = 0;
}

/// The mean's factor, by the threads of a group.
template <class Group, class Call>
DIVOT_HD void find_sinkd_mean(Call const& call, double given) {
  double count = 0;
  if (given == 0) {
    thread_share const mine = Group::share(call.rows);
    for (index r = mine.begin; r < mine.end; r += mine.step) {
      count += is_valid(call.options, r) ? 1 : 0;
    }
    count = Group::sum(count);
  }
  if (Group::owns(0)) *call.mean = given != 0 ? given : 1 / (count > 0 ? count : 1);
}

/// Tiles of costs: a problem's, of each slice of classes where those stand apart.
template <class Tiles, class Call>
DIVOT_HD index sinkd_cost_tiles(Call const& call) {
  index const side = Tiles::tiles(call.most);
  return call.problems * side * side * (call.apart ? Tiles::slices(call.classes) : 1);
}

/// One of them, by the threads of a tile.
template <class Tiles, class Call>
DIVOT_HD void find_sinkd_costs(Call const& call, index item, typename Tiles::memory& memory) {
  index const side = Tiles::tiles(call.most), slices = Tiles::slices(call.classes);
  index const j0 = item % side * Tiles::edge, i0 = item / side % side * Tiles::edge;
  index const rest = item / side / side;
  index const p = call.apart ? rest / slices : rest, n = call.counts[p];
  if (i0 >= n || j0 >= n || call.is_lost(p)) return;
  index const first = call.apart ? rest % slices : 0, last = call.apart ? first + 1 : slices;
  double* const to = call.apart ? call.parts + rest * call.most * call.most : call.costs_of(p);
  auto const x = call.side(call.between == sinkd_between::teachers, p);
  auto const y = call.side(call.between != sinkd_between::students, p);
  for (index s = first; s < last; ++s) {
    index const begin = s * Tiles::slice;
    index const end = s + 1 < slices ? begin + Tiles::slice : call.classes;
    Tiles::add_costs(call.ground, x, y, i0, j0, begin, end, memory,
                     [&](index i, index j, double sum) {
                       double& all = to[i * n + j];
                       all = s > first ? all + sum : sum;
                     });
  }
}

/// What the sums over classes come to: entry k of problem p's costs. slices: how many there are.
template <class Call>
DIVOT_HD void settle_sinkd_cost(Call const& call, index slices, index p, index k) {
  index const n = call.counts[p], square = call.most * call.most;
  if (k >= n * n) return;
  double& cost = call.costs_of(p)[k];
  double sum = call.apart ? 0 : cost;
  if (call.apart) {
    for (index s = 0; s < slices; ++s) sum += call.parts[(p * slices + s) * square + k];
  }
  cost = ground_cost_of(call.ground, sum);
}

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
    sums::each(n, [&](index i) { call.bad[places[i]] = call.bad[call.rows + p] = 1; });
    return;
  }
  sums::each(n, [&](index i) {
    f[i] = solver.row_potential(i);
    g[i] = solver.column_potential(i);
    scales[i] = call.share() * call.gradient_factor(places[i]);
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

/// Tiles of a side's slopes.
template <class Tiles, class Call>
DIVOT_HD index sinkd_slope_tiles(Call const& call) {
  return call.problems * Tiles::tiles(call.most) * Tiles::tiles(call.classes);
}

/// One of them: ∂L/∂(what is compared) into `bars`, or of a side's own problem added to them.
template <class Tiles, class Call>
DIVOT_HD void pull_sinkd_tile(Call const& call, bool of_teacher, index item,
                              typename Tiles::memory& memory) {
  index const side = Tiles::tiles(call.most), across = Tiles::tiles(call.classes);
  index const i0 = item % side * Tiles::edge, k0 = item / side % across * Tiles::edge;
  index const p = item / side / across, n = call.counts[p];
  if (i0 >= n || call.is_lost(p)) return;
  bool const turned = of_teacher && !call.biased();
  ground_weights const weights{call.slopes_of(p), turned ? 1 : n, turned ? n : 1};
  auto const own = call.side(of_teacher, p), other = call.side(of_teacher == call.biased(), p);
  Tiles::pull_back(call.ground, own, other, weights, i0, k0, call.classes, memory,
                   gathered_rows<typename Call::number>{call.bars, call.step, own.places, n},
                   call.biased());
}

/// The rows' losses as one number, in a fixed order, and what is to be said of bad rows; by the
/// threads of a group. True on the one that has `status` to tell.
template <class Group, class Call>
DIVOT_HD bool finish_sinkd_call(Call const& call, device_status& found) {
  double sum = 0, bad = 0;
  index first = call.rows;
  thread_share const mine = Group::share(call.rows);
  for (index r = mine.begin; r < mine.end; r += mine.step) {
    bool const lost = call.is_lost(call.problem_of(r));
    bool const counts = is_valid(call.options, r);
    double const own = weight_of(call.options, r);
    double const loss = !counts || lost || own == 0 ? 0 : own * (call.weight * call.losses[r]);
    if (!call.options.per_row.empty() && !lost) call.options.per_row.data[r] = loss;
    sum += loss;
    if (call.bad[r] == 0) continue;
    bad += 1;
    first = r < first ? r : first;
  }
  sum = Group::sum(sum);
  bad = Group::sum(bad);
  first = Group::smallest(first);
  if (!Group::owns(0)) return false;
  if (call.options.loss != nullptr) {
    *call.options.loss = bad > 0 ? std::numeric_limits<double>::quiet_NaN() : *call.mean * sum;
  }
  found.bad_rows = static_cast<unsigned long long>(bad);
  found.first_bad_inverted = ~static_cast<unsigned long long>(first);
  return bad > 0 && call.options.status != nullptr;
}

}  // namespace DIVOT_ABI
}  // namespace divot
