// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkhorn.hpp>
#include <divot/transport/cost_range.hpp>
#include <divot/transport/forecast.hpp>
#include <divot/transport/newton.hpp>
#include <divot/transport/potential_sweeps.hpp>
#include <divot/transport/scaled_kernel.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// What a solver comes back with.
struct transport_outcome {
  transport_status status = transport_status::empty;
  transport_domain domain = transport_domain::kernel;
  int sweeps = 0, newton_steps = 0;
  double relaxation = 1;
  transport_vector rows, columns;  // the plan's sums
  double paid = 0;                 // ⟨P, C⟩
};

/// Solves one problem: Sinkhorn's sweeps, and Newton's method on the semi-dual where they converge
/// slowly.
template <execution_policy Policy>
class sinkhorn_solver {
 public:
  using vector = typename transport_types<Policy>::vector;
  using costs_type = cost_rows<row_team<Policy, double>>;
  using passes = plan_passes<Policy>;

  /// range: of the costs. `narrow`: nobody would see the digits that float lacks.
  sinkhorn_solver(Policy const& policy, costs_type const& costs, transport_marginals const& to,
                  sinkhorn_options const& options, double tolerance, double range, bool narrow,
                  transport_memory<Policy>& memory)
      : policy_(policy),
        costs_(costs),
        to_(to),
        options_(options),
        goal_(tolerance * std::max(to.a.sum(), to.b.sum())),
        range_(range),
        in_float_(narrow && tolerance >= 1e-6),
        memory_(memory) {}

  /// f: written; g: where to begin, 0 or not.
  transport_outcome run(vector& f, vector& g) {
    out_.rows.resize(f.size());
    out_.columns.resize(g.size());
    double stage = to_.epsilon;
    bool const may_step = options_.sweeps == 0 && options_.newton_steps > 0;
    if (may_step && g.size() <= most_factored_columns && g.isZero(0)) {
      while (stage < small_part * range_) stage *= 4;
    }
    double const all = goal_;
    for (; stage > to_.epsilon; stage /= 4) {
      goal_ = 1e-2 * to_.a.sum();
      solve(stage, f, g, false);
    }
    goal_ = all;
    solve(to_.epsilon, f, g, true);
    double const error = (out_.rows - to_.wanted_rows(f)).template lpNorm<1>() +
                         (out_.columns - to_.wanted_columns(g)).template lpNorm<1>();
    // the plan itself is rounded more than its sums were, or potentials and the values with them
    // are
    bool const rounded =
        !(error <= 2 * goal_) ||
        (range_ > 0 && 4e-16 * to_.epsilon * std::max(to_.a.sum(), to_.b.sum()) > goal_ * range_);
    if (out_.status == transport_status::converged && rounded) {
      out_.status = transport_status::stalled_roundoff;
    }
    return std::move(out_);
  }

 private:
  static constexpr int first_sweeps = 10;
  /// With an ε below this part of the costs' range Newton's method begins too far away: problems of
  /// larger ones, each a quarter of the one before, lead there.
  static constexpr double small_part = .004;
  /// What a step of Newton's is worth in sweeps.
  static int sweeps_per_step(Eigen::Index columns, bool by_kernel) {
    if (columns > most_factored_columns) return by_kernel ? 100 : 30;
    return static_cast<int>(by_kernel ? 12 + columns / 4 : 2 + columns / 8);
  }
  /// With more columns as many sweeps as a step is worth go before the first.
  static constexpr Eigen::Index most_stepped_columns = 384;

  enum class end { done, slow, out_of_range };

  /// The problem with this ε, from the columns' potentials.
  void solve(double epsilon, vector& f, vector& g, bool last) {
    passes const over(policy_, costs_, epsilon);
    transport_marginals to = to_;
    to.epsilon = epsilon;
    double const entries = static_cast<double>(f.size()) * static_cast<double>(g.size());
    bool const by_kernel = to.exact() && (!costs_.computed() || entries <= most_entries_in_memory);
    step_worth_ = sweeps_per_step(g.size(), by_kernel);
    next_try_ = out_.sweeps + (g.size() <= most_stepped_columns ? first_sweeps : step_worth_);
    patience_ = std::max(3, 120 / step_worth_);
    auto const finish = [&](auto const& sums_of) {
      if (!last) return;
      to.settle(f, g);
      out_.paid = sums_of.totals(f, g, out_.rows, out_.columns);
    };
    // what was absorbed has made potentials so large that the plan is not the kernel to the last
    // digits: what is reported is the plan's
    auto const finish_with = [&](auto const& kernel) {
      if (kernel.has_absorbed()) return finish(over);
      finish(kernel);
    };
    bool const plain = g.isZero(0);
    if (by_kernel && in_float_ && plain &&
        range_ / epsilon <= scaled_kernel<float, Policy>::range) {
      scaled_kernel<float, Policy> kernel(over, to, g, true, memory_);
      if (iterate(kernel, to, f, g) == end::done) return finish(kernel);
    }
    bool const balance = !to.exact() && options_.sweeps == 0;
    if (!by_kernel && in_float_ && range_ / epsilon <= potential_sweeps<float, Policy>::range) {
      out_.domain = transport_domain::logarithms;
      vector const start = g;
      int const before = out_.sweeps;
      potential_sweeps<float, Policy> step(over, to, f, g, balance);
      bool const done = iterate(step, to, f, g) == end::done;
      if (f.allFinite() && g.allFinite()) {
        // of a number of sweeps nothing is left to do; else a sweep in double tells
        if (done && options_.sweeps > 0) return finish(over);
      } else {  // penalties or masses that float does not hold
        g = start;
        f.setZero();
        out_.sweeps = before;
      }
    }
    for (;;) {
      if (by_kernel) {
        using kernel_type = scaled_kernel<double, Policy>;
        bool const in_range = g.isZero(0) && range_ / epsilon <= kernel_type::range;
        kernel_type kernel(over, to, g, in_range, memory_);
        bool const done = iterate(kernel, to, f, g) == end::done;
        out_.domain =
            kernel.has_absorbed() ? transport_domain::absorbing_kernel : transport_domain::kernel;
        if (done) return finish_with(kernel);
      } else {
        out_.domain = transport_domain::logarithms;
        potential_sweeps<double, Policy> step(over, to, f, g, balance);
        if (iterate(step, to, f, g) == end::done) return finish(over);
      }
      if (newton(over, to, f, g)) return finish(over);
    }
  }

  /// Newton's steps; whether they solved the problem. Where they lose their way sweeps may take as
  /// long as they did before they are tried again, and then twice as long: whatever suits the
  /// problem has half of the time.
  bool newton(passes const& over, transport_marginals const& to, vector& f, vector& g) {
    int const allowed = options_.newton_steps - out_.newton_steps;
    if (options_.sweeps > 0 || allowed <= 0 || g.size() < 2) return false;
    int left = allowed;
    bool const solved = newtons_method<Policy>(over, to, range_).run(f, g, goal_, left, patience_);
    if (solved) out_.status = transport_status::converged;
    out_.newton_steps += allowed - left;
    next_try_ = out_.sweeps + std::max(first_sweeps, (allowed - left) * step_worth_);
    patience_ = std::min(2 * patience_, options_.newton_steps);
    return solved;
  }

  /// Sweeps until something is to be done about it. The potentials are up to date then.
  template <class Sweeps>
  end iterate(Sweeps& step, transport_marginals const& to, vector& f, vector& g) {
    constexpr double far = std::numeric_limits<double>::infinity();
    bool const may_step = options_.newton_steps > 0 && g.size() > 1;
    bool const may_relax = options_.over_relaxation && options_.sweeps == 0 && to.exact();
    int const begin = out_.sweeps;
    relaxation_control relaxation;
    sweep_forecast forecast(goal_);
    double error = far, best = far;
    int stalled = 0;
    vector sums(g.size());
    auto const over = [&](end how) {
      step.leave(f, g);
      return how;
    };
    auto const over_with = [&](transport_status status) {
      out_.status = status;
      return over(end::done);
    };
    for (;;) {
      if (!step.rows(sums, relaxation.now())) return over(end::out_of_range);
      double const now = error_of(to, step, f, g, sums) + step.row_error();
      forecast.take(now);
      error = now;
      if (options_.sweeps == 0) {
        if (error <= goal_) return over_with(transport_status::converged);
        stalled = error < best ? 0 : stalled + 1;
        best = std::min(best, error);
        if (stalled >= relaxation.patience()) {
          if (error <= roundoff(to, f)) return over_with(transport_status::stalled_roundoff);
          if (Sweeps::may_give_up) return over(end::out_of_range);
        }
        if (out_.sweeps >= options_.max_sweeps) return over_with(transport_status::max_sweeps);
        bool const relaxed = !relaxation.now().is_plain();
        if (may_step && out_.sweeps >= next_try_ && out_.newton_steps < options_.newton_steps) {
          double const left = relaxed ? forecast.left_at(relaxation.rate()) : forecast.left();
          // while most of the mass is in the wrong place Newton's steps go nowhere
          bool const early = error > .1 * to.a.sum() && out_.sweeps - begin < step_worth_;
          bool const late = relaxed && out_.sweeps - begin > 6 * step_worth_;
          if (!early && (late || !(left < 3 * step_worth_))) return over(end::slow);
        }
        double const omega = relaxation.now().omega;
        if (may_relax && out_.sweeps - begin >= first_sweeps &&
            (relaxed || forecast.left_at(forecast.rate()) > 10) &&
            relaxation.take(error, forecast.rate())) {
          // errors grow at first where ω does
          if (relaxation.now().omega > omega) {
            stalled = 0;
            best = far;
          }
          out_.relaxation = relaxation.now().omega;
        }
      }
      if (!step.columns(sums, relaxation.now())) return over(end::out_of_range);
      ++out_.sweeps;
      if (out_.sweeps == options_.sweeps) return over_with(transport_status::sweeps_done);
    }
  }
  /// An error that may be nothing but what potentials are rounded by, divided by ε or a penalty.
  double roundoff(transport_marginals const& to, vector const& f) const {
    double const far = range_ + to.epsilon + (to.exact() ? 0 : f.cwiseAbs().maxCoeff());
    double const unit = std::min({to.epsilon, to.row_penalty, to.column_penalty});
    return std::clamp(4e-16 * far / unit, 1e-8, 1e-4) * to.a.sum();
  }
  template <class Sweeps>
  double error_of(transport_marginals const& to, Sweeps const& step, vector& f, vector& g,
                  vector const& sums) const {
    if (std::isinf(to.column_penalty)) return (sums - to.b).template lpNorm<1>();
    step.leave(f, g);
    return (sums - to.wanted_columns(g)).template lpNorm<1>();
  }

  Policy const& policy_;
  costs_type costs_;
  transport_marginals const& to_;
  sinkhorn_options const& options_;
  double goal_, range_;
  bool in_float_;
  transport_memory<Policy>& memory_;
  int step_worth_ = 0, next_try_ = 0;
  int patience_ = 0;  // with Newton's steps
  transport_outcome out_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
