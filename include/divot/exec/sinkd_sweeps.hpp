// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/scratch.hpp>
#include <divot/row/sinkd_plan.hpp>
#include <divot/row/sinkhorn_sweeps.hpp>

#include <algorithm>

namespace divot {
inline namespace DIVOT_ABI {

/// Solves SinKD's problems by a fixed number of sweeps, one after the other in the same memory.
template <class Team>
class sinkd_sweeps {
 public:
  /// `samples`: of the largest problem.
  void take(scratch& memory, index samples, index sweeps) {
    index const n = samples, k = sweeps;
    masses_ = memory.take<double>(n);
    potentials_ = memory.take<double>(2 * n);
    spare_ = memory.take<double>(2 * n);
    history_.of_rows = memory.take<double>(k * n);
    history_.of_columns = memory.take<double>((k + 1) * n);
    history_.row_sums = memory.take<double>(k * n);
    history_.column_sums = memory.take<double>(k * n);
    history_.kernel = memory.take<double>(n * n);
    history_.spare = memory.take<double>(4 * n);
  }

  void solve(sinkd const& what, sinkd_task const& task) const {
    index const n = task.samples;
    std::fill_n(masses_, n, task.mass);
    sinkhorn_problem const problem{n, n, task.cost, masses_, masses_, what.epsilon, what.sweeps};
    auto const range = std::minmax_element(task.cost, task.cost + n * n);
    bool const by_kernel =
        (*range.second - *range.first) / what.epsilon < 300 && *range.second / what.epsilon < 600;
    if (by_kernel) {
      run(kernel_sweeps<Team>(problem, history_), what, task);
    } else {
      run(log_sweeps<Team>(problem, history_), what, task);
    }
  }

 private:
  template <class Sweeps>
  void run(Sweeps const& sweeps, sinkd const& what, sinkd_task const& task) const {
    index const n = task.samples;
    sweeps.run();
    double *const f = potentials_, *const g = f + n;
    for (index i = 0; i < n; ++i) {
      f[i] = sweeps.row_potential(i);
      g[i] = sweeps.column_potential(i);
    }
    finish_sinkd(
        what, task, f, g, [&](index i, double* out) { sweeps.plan(i, out); },
        [&](double* slope) { sweeps.pull_back(slope); }, spare_);
  }

  double *masses_, *potentials_, *spare_;
  sinkhorn_history history_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
