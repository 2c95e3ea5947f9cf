// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkd.hpp>
#include <divot/exec/softmax_rows.hpp>
#include <divot/row/l1_cost.hpp>
#include <divot/row/sinkhorn_sweeps.hpp>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// A SinKD call on rows of T: softmax of both sides, costs, sweeps, and the way back.
///
/// Costs and plan are double: what the sweeps would lose in float is more than what they cost.
/// Threads share the rows of everything but the sweeps, and no number hangs on how they do.
template <class T, execution_policy Policy>
class sinkd_rows {
 public:
  using team = row_team<Policy, T>;
  using sweeps_team = row_team<Policy, double>;

  /// `classes`: the largest number of valid ones.
  sinkd_rows(Policy const& policy, sinkd const& what, batch const& options, index rows,
             index classes)
      : policy_(policy), what_(what), options_(options), rows_(rows), classes_(classes) {
    valid_ = valid_rows_of(options, rows);
    index const line = 64 / static_cast<index>(sizeof(T));
    // a line more than needed: columns of many rows then lie in different sets of the caches
    step_ = (classes + line - 1) / line * line + line;
    workers_ = worker_count(policy, static_cast<double>(valid_) * static_cast<double>(valid_) *
                                        static_cast<double>(classes));
    for (bool const counting : {true, false}) {
      take();
      if (counting) memory_.provide(options.workspace);
    }
    for (index r = 0, i = 0; r < rows; ++r) {
      if (is_valid(options, r)) places_[i++] = r;
    }
    for (index i = 0; i < valid_; ++i) {
      student_rows_[i] = student_ + places_[i] * step_;
      teacher_rows_[i] = teacher_ + places_[i] * step_;
    }
  }

  matrix_ref<T> student() const { return {student_, rows_, classes_, step_, 1}; }
  matrix_ref<T> teacher() const { return {teacher_, rows_, classes_, step_, 1}; }

  /// Softmax of every valid row of a source into `to`. Returns {bad rows, first bad row}.
  template <class Source>
  std::pair<index, index> distributions(Source const& source, bool normalised,
                                        matrix_ref<T> const& to) const {
    batch inner = options_;
    inner.workspace = options_.workspace == nullptr ? nullptr : &options_.workspace->inner();
    double const tolerance = source.tolerance();
    strided_target<T, T> const target(to);
    return transform_rows<T>(
        policy_, inner, rows_, classes_, source, no_source<T>{}, target, false, 1,
        [&](auto const& walker, index, index n, T const* in, T const*, T* out, auto const& own,
            bool) {
          using walker_type = std::remove_cvref_t<decltype(walker)>;
          using row = typename walker_type::row;
          auto const inverse = inverse_words<row>(normalised ? 1 : what_.temperature);
          softmax_side<walker_type> side(in, own.student_exponentials.data(),
                                         own.student_blocks.data(), n, inverse.high, normalised,
                                         inverse.low);
          if (!settle_softmax(walker, side) || side.is_off(tolerance)) return false;
          write_softmax<false>(walker, side, out);
          return true;
        });
  }

  /// C, P and what every valid row adds to the loss.
  void solve() {
    std::fill_n(cost_, valid_ * valid_, 0.);
    run_workers(policy_, workers_, [&](int me, int team_size) {
      for_blocks(me, team_size, [&](index i) {
        for (index first = 0; first < classes_; first += l1_columns) {
          add_l1_costs<team>(students(), i, teachers(), first,
                             std::min(l1_columns, classes_ - first), cost_ + i * valid_, valid_);
        }
      });
    });
    double const samples = static_cast<double>(valid_);
    std::fill_n(masses_, valid_, what_.mass == mass::probability ? 1 / samples : 1);
    problem_ = {valid_, valid_, cost_, masses_, masses_, what_.epsilon, what_.sweeps};
    auto const range = std::minmax_element(cost_, cost_ + valid_ * valid_);
    by_kernel_ =
        (*range.second - *range.first) / what_.epsilon < 300 && *range.second / what_.epsilon < 600;
    on_sweeps([](auto const& sweeps) { sweeps.run(); });
    for (index i = 0; i < valid_; ++i) {
      plan(i, plan_);
      losses_[i] = 0;
      for (index j = 0; j < valid_; ++j) losses_[i] += plan_[j] * cost_[i * valid_ + j];
    }
  }

  /// The i-th valid row and its part of the loss.
  index place(index i) const { return places_[i]; }
  double loss(index i) const { return losses_[i]; }

  /// ∂L/∂C for the batch's sum L of the rows' losses, `mean` being mean_of: through the sweeps, and
  /// P itself.
  void differentiate(double mean) {
    std::fill_n(slope_, valid_ * valid_, 0.);
    auto const add_scaled = [&](index i, double const* x) {
      double const scale = gradient_factor(options_, places_[i], mean);
      for (index j = 0; j < valid_; ++j) slope_[i * valid_ + j] += scale * x[j];
    };
    if (what_.gradient == route::unrolled) {
      for (index i = 0; i < valid_; ++i) add_scaled(i, cost_ + i * valid_);
      on_sweeps([&](auto const& sweeps) { sweeps.pull_back(slope_); });
    }
    for (index i = 0; i < valid_; ++i) {
      plan(i, plan_);
      add_scaled(i, plan_);
    }
  }

  /// The gradient with respect to the logits of either side, after `differentiate`.
  template <class Target>
  void write(bool of_teacher, Target const& target, bool add, double scale) const {
    if (!add) {
      for (index r = 0; r < rows_; ++r) {
        target.clear(r, is_valid(options_, r) ? valid_classes_of(options_, r, classes_) : 0);
      }
    }
    auto const own = of_teacher ? teachers() : students();
    auto const other = of_teacher ? students() : teachers();
    index const row_step = of_teacher ? 1 : valid_, column_step = of_teacher ? valid_ : 1;
    run_workers(policy_, workers_, [&](int me, int team_size) {
      T* const bar = bars_ + me * l1_rows * step_;
      auto* const partial = partials_ + me * block_count<team>(classes_);
      for_blocks(me, team_size, [&](index i) {
        pull_l1_back<team>(own, i, other, slope_, row_step, column_step, classes_, bar, step_,
                           weights_ + me * l1_rows * valid_);
        for (index b = 0; b < std::min(l1_rows, valid_ - i); ++b) {
          index const r = places_[i + b], n = valid_classes_of(options_, r, classes_);
          using row = typename team::row;
          softmax_pullback_row(team(), own[i + b], bar + b * step_, n,
                               row(scale / what_.temperature), partial, bar + b * step_);
          target.write(r, n, bar + b * step_, 1, add);
        }
      });
    });
  }

 private:
  void take() {
    index const n = valid_, k = what_.sweeps;
    student_ = memory_.take<T>(rows_ * step_);
    teacher_ = memory_.take<T>(rows_ * step_);
    places_ = memory_.take<index>(n);
    student_rows_ = memory_.take<T const*>(n);
    teacher_rows_ = memory_.take<T const*>(n);
    cost_ = memory_.take<double>(n * n);
    slope_ = memory_.take<double>(n * n);
    losses_ = memory_.take<double>(n);
    plan_ = memory_.take<double>(n);
    masses_ = memory_.take<double>(n);
    history_.of_rows = memory_.take<double>(k * n);
    history_.of_columns = memory_.take<double>((k + 1) * n);
    history_.row_sums = memory_.take<double>(k * n);
    history_.column_sums = memory_.take<double>(k * n);
    history_.kernel = memory_.take<double>(n * n);
    history_.spare = memory_.take<double>(4 * n);
    bars_ = memory_.take<T>(workers_ * l1_rows * step_);
    weights_ = memory_.take<T>(workers_ * l1_rows * n);
    partials_ = memory_.take<typename team::row>(workers_ * block_count<team>(classes_));
  }

  row_list<T> students() const { return {student_rows_, valid_}; }
  row_list<T> teachers() const { return {teacher_rows_, valid_}; }

  /// body(i) for every block of rows, dealt to workers.
  template <class Body>
  void for_blocks(int me, int team_size, Body const& body) const {
    for (index i = me * l1_rows; i < valid_; i += team_size * l1_rows) body(i);
  }
  template <class Body>
  void on_sweeps(Body const& body) const {
    if (by_kernel_) {
      body(kernel_sweeps<sweeps_team>(problem_, history_));
    } else {
      body(log_sweeps<sweeps_team>(problem_, history_));
    }
  }
  void plan(index i, double* out) const {
    on_sweeps([&](auto const& sweeps) { sweeps.plan(i, out); });
  }

  Policy const& policy_;
  sinkd const& what_;
  batch const& options_;
  index rows_, classes_, valid_ = 0, step_ = 0;
  int workers_ = 1;
  bool by_kernel_ = true;
  scratch memory_;
  T *student_ = nullptr, *teacher_ = nullptr, *bars_ = nullptr, *weights_ = nullptr;
  T const **student_rows_ = nullptr, **teacher_rows_ = nullptr;
  index* places_ = nullptr;
  double *cost_ = nullptr, *slope_ = nullptr;
  double *losses_ = nullptr, *plan_ = nullptr, *masses_ = nullptr;
  typename team::row* partials_ = nullptr;
  sinkhorn_problem problem_;
  sinkhorn_history history_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
