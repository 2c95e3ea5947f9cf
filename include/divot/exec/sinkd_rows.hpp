// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkd.hpp>
#include <divot/exec/sinkd_sweeps.hpp>
#include <divot/exec/slope_blocks.hpp>
#include <divot/exec/softmax_rows.hpp>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// A SinKD call on rows of T: what is compared of both sides, costs, and the way back from them.
///
/// Costs and plan are double: what the sweeps would lose in float is more than what they cost.
/// Threads share the rows of everything but the sweeps, or the problems where there are many, and
/// no number hangs on how they do.
template <class T, execution_policy Policy, class Ground>
class sinkd_rows {
 public:
  using team = row_team<Policy, T>;
  using sweeps = sinkd_sweeps<row_team<Policy, double>>;

  /// `classes`: the largest number of valid ones.
  sinkd_rows(Policy const& policy, sinkd const& what, Ground const& ground, batch const& options,
             index rows, index classes, bool student_wanted, bool teacher_wanted)
      : policy_(policy),
        what_(what),
        ground_(ground),
        options_(options),
        rows_(rows),
        classes_(classes),
        problems_(what.rows_per_problem > 0 ? rows / what.rows_per_problem : 1),
        valid_(valid_rows_of(options, rows)),
        most_(problems_ > 1 ? what.rows_per_problem : valid_),
        wanted_{student_wanted || teacher_wanted, what.debiased && student_wanted,
                what.debiased && teacher_wanted},
        fill_{most_, what.sweeps},
        sweeps_(solvers(), fill_) {
    for (bool const counting : {true, false}) {
      take(counting);
      if (counting) memory_.provide(options.workspace);
    }
    for (index r = 0, i = 0; r < rows; ++r) {
      if (what.rows_per_problem > 0 && r % what.rows_per_problem == 0) {
        begins_[r / what.rows_per_problem] = i;
      }
      if (!is_valid(options, r)) continue;
      student_rows_[i] = student_ + r * step_;
      teacher_rows_[i] = teacher_ + r * step_;
      places_[i++] = r;
    }
    if (what.rows_per_problem == 0) begins_[0] = 0;
    begins_[problems_] = valid_;
  }

  matrix_ref<T> student() const { return {student_, rows_, classes_, step_, 1}; }
  matrix_ref<T> teacher() const { return {teacher_, rows_, classes_, step_, 1}; }

  /// What is compared of every valid row of a source, its softmax or its numbers, into `to`.
  /// Returns {bad rows, first bad row}.
  template <class Source>
  std::pair<index, index> read(Source const& source, bool normalised,
                               matrix_ref<T> const& to) const {
    batch inner = options_;
    inner.workspace = options_.workspace == nullptr ? nullptr : &options_.workspace->inner();
    double const tolerance = source.tolerance();
    strided_target<T, T> const target(to);
    return transform_rows<T>(
        policy_, inner, rows_, classes_, source, no_source<T>{}, target, false, 1,
        [&](auto const& walker, index, index n, T const* in, T const*, T* out, auto const& own,
            bool keeper) {
          if constexpr (compares_numbers<Ground>) {
            if (!keeper) return true;
            std::copy_n(in, n, out);
            return std::all_of(in, in + n, [](T x) { return std::isfinite(x); });
          } else {
            using walker_type = std::remove_cvref_t<decltype(walker)>;
            using row = typename walker_type::row;
            auto const inverse = inverse_words<row>(normalised ? 1 : what_.temperature);
            softmax_side<walker_type> side(in, own.student_exponentials.data(),
                                           own.student_blocks.data(), n, inverse.high, normalised,
                                           inverse.low);
            if (!settle_softmax(walker, side) || side.is_off(tolerance)) return false;
            write_softmax<false>(walker, side, out);
            return true;
          }
        });
  }

  /// Every valid row's part of the loss and, where they are wanted, ∂L/∂C for the batch's sum L of
  /// them, `mean` being mean_of. solve(sweeps, task) solves a problem, with the sweeps' memory.
  template <class Solve>
  void solve(double mean, Solve const& solve) {
    std::fill_n(losses_, valid_, 0.);
    for (index i = 0; i < valid_; ++i) scales_[i] = gradient_factor(options_, places_[i], mean);
    int const sharing = solvers();
    if (sharing == 1) {
      for (index p = 0; p < problems_; ++p) solve_one(p, 0, workers_, solve);
      return;
    }
    run_workers(policy_, sharing, [&](int me, int team_size) {
      for (index p = me; p < problems_; p += team_size) solve_one(p, me, 1, solve);
    });
  }

  /// The i-th valid row's part of the loss.
  double loss(index i) const { return losses_[i]; }

  /// The gradient with respect to either side's logits or numbers, after `solve`.
  template <class Target>
  void write(bool of_teacher, Target const& target, bool add, double scale) const {
    if (!add) {
      for (index r = 0; r < rows_; ++r) {
        target.clear(r, is_valid(options_, r) ? valid_classes_of(options_, r, classes_) : 0);
      }
    }
    run_workers(policy_, workers_, [&](int me, int team_size) {
      auto* const partial = partials_ + me * block_count<team>(classes_);
      index turn = 0;
      for (index p = 0; p < problems_; ++p) {
        auto const own = side(of_teacher, p), other = side(!of_teacher, p);
        index const n = own.count, row_step = of_teacher ? 1 : n, column_step = of_teacher ? n : 1;
        for (index i = 0; i < n; i += blocks_.rows()) {
          if (turn++ % team_size != me) continue;
          blocks_.pull(me, own, i, other, slope(0, p), row_step, column_step, false);
          if (what_.debiased) {
            blocks_.pull(me, own, i, own, slope(of_teacher ? 2 : 1, p), n, 1, true);
          }
          for (index b = 0; b < std::min(blocks_.rows(), n - i); ++b) {
            index const r = places_[begins_[p] + i + b];
            index const valid = valid_classes_of(options_, r, classes_);
            T* const pulled = blocks_.row(me, b);
            T* const direct = add ? nullptr : target.direct(r);
            pull_row(own[i + b], valid, scale, partial, pulled,
                     direct != nullptr ? direct : pulled);
            if (direct == nullptr) target.write(r, valid, pulled, 1, add);
          }
        }
      }
    });
  }

 private:
  /// How a set of memory for sweeps is laid out.
  struct fill_sweeps {
    index samples, sweeps;
    void operator()(sinkd_rows::sweeps& set, scratch& memory) const {
      set.take(memory, sweeps > 0 ? samples : 0, sweeps);
    }
  };

  /// Numbers from row to row: a line more than needed, so that columns of many rows lie in
  /// different sets of the caches.
  static index line_up(index classes) {
    constexpr index line = 64 / static_cast<index>(sizeof(T));
    return (classes + line - 1) / line * line + line;
  }

  /// Workers that have a problem each: one where they share a problem's rows.
  int solvers() const {
    return problems_ > 1 ? static_cast<int>(std::min<index>(workers_, problems_)) : 1;
  }

  void take(bool counting) {
    index const n = valid_, square = most_ * most_;
    student_ = memory_.take<T>(rows_ * step_);
    teacher_ = memory_.take<T>(rows_ * step_);
    places_ = memory_.take<index>(n);
    begins_ = memory_.take<index>(problems_ + 1);
    student_rows_ = memory_.take<T const*>(n);
    teacher_rows_ = memory_.take<T const*>(n);
    costs_ = memory_.take<double>(solvers() * square);
    for (int k = 0; k < 3; ++k) {
      slopes_[k] = memory_.take<double>(wanted_[k] ? problems_ * square : 0);
    }
    losses_ = memory_.take<double>(n);
    scales_ = memory_.take<double>(n);
    sweeps_.take(memory_, counting);
    blocks_.take(memory_, workers_);
    partials_ = memory_.take<typename team::row>(workers_ * block_count<team>(classes_));
  }

  /// Problem p's rows of a side.
  row_list<T> side(bool of_teacher, index p) const {
    return {(of_teacher ? teacher_rows_ : student_rows_) + begins_[p], begins_[p + 1] - begins_[p]};
  }
  /// ∂L/∂C of problem p between the sides (0), students (1) and teachers (2) themselves.
  double* slope(int which, index p) const { return slopes_[which] + p * most_ * most_; }

  template <class Solve>
  void solve_one(index p, int me, int workers, Solve const& solve) const {
    index const first = begins_[p], n = begins_[p + 1] - first;
    if (n == 0) return;
    double* const cost = costs_ + me * most_ * most_;
    auto const run = [&](int which, row_list<T> const& x, row_list<T> const& y, double share) {
      find_costs(x, y, workers, cost);
      double* const to = wanted_[which] ? slope(which, p) : nullptr;
      solve(sweeps_[me],
            sinkd_task{n, cost, what_.mass == mass::probability ? 1 / static_cast<double>(n) : 1,
                       share, scales_ + first, losses_ + first, to, problems_ > 1 ? p : -1});
      if (to == nullptr) return;
      for (index k = 0; k < n * n; ++k) {
        // rows that agree have no slope; their weight, often the largest, would take others' digits
        to[k] = cost[k] > 0 ? to[k] * ground_factor(ground_, cost[k]) : 0;
      }
      if (which == 0) return;
      // a row stands on both sides of its own side's problem
      for (index i = 0; i < n; ++i) {
        for (index j = 0; j < i; ++j) to[i * n + j] = to[j * n + i] += to[i * n + j];
      }
    };
    auto const students = side(false, p), teachers = side(true, p);
    run(0, students, teachers, 1);
    if (!what_.debiased) return;
    run(1, students, students, -.5);
    run(2, teachers, teachers, -.5);
  }

  void find_costs(row_list<T> const& x, row_list<T> const& y, int workers, double* cost) const {
    index const n = x.count;
    std::fill_n(cost, n * n, 0.);
    run_workers(policy_, workers, [&](int me, int team_size) {
      for (index first = 0; first < classes_; first += ground_columns) {
        index const count = std::min(ground_columns, classes_ - first);
        for (index j = 0; j < n; j += ground_others) {
          for (index i = me * ground_rows; i < n; i += team_size * ground_rows) {
            add_ground_terms<team>(ground_, x, i, y, j, std::min(j + ground_others, n), first,
                                   count, cost + i * n, n);
          }
        }
      }
    });
    for (index k = 0; k < n * n; ++k) cost[k] = ground_cost_of(ground_, cost[k]);
  }

  /// From ∂L/∂(what is compared) to ∂L/∂(what was given); `to` may be `bar`.
  void pull_row(T const* x, index n, double scale, typename team::row* partial, T const* bar,
                T* to) const {
    if constexpr (compares_numbers<Ground>) {
      for (index k = 0; k < n; ++k) to[k] = static_cast<T>(scale * bar[k]);
    } else {
      using row = typename team::row;
      softmax_pullback_row(team(), x, bar, n, row(scale / what_.temperature), partial, to);
    }
  }

  Policy const& policy_;
  sinkd const& what_;
  Ground ground_;
  batch const& options_;
  index rows_, classes_, problems_, valid_;
  index most_;  // samples of the largest problem
  bool wanted_[3];
  int workers_ = worker_count(policy_, static_cast<double>(valid_) * static_cast<double>(most_) *
                                           static_cast<double>(classes_));
  fill_sweeps fill_;
  array_sets<sweeps, fill_sweeps> sweeps_;
  index step_ = line_up(classes_);
  slope_blocks<team, Ground> blocks_{ground_, most_, classes_, step_, workers_ / solvers()};
  scratch memory_;
  T *student_ = nullptr, *teacher_ = nullptr;
  T const **student_rows_ = nullptr, **teacher_rows_ = nullptr;
  index *places_ = nullptr, *begins_ = nullptr;
  double *costs_ = nullptr, *slopes_[3] = {};
  double *losses_ = nullptr, *scales_ = nullptr;
  typename team::row* partials_ = nullptr;
};

}  // namespace DIVOT_ABI
}  // namespace divot
