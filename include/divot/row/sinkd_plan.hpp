// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkd.hpp>

#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// One of SinKD's problems, between as many samples on either side, and what is wanted of it.
struct sinkd_task {
  index samples = 0;
  double const* cost = nullptr;    // samples × samples
  double mass = 1;                 // of each sample
  double share = 1;                // what its value is multiplied by
  double const* scales = nullptr;  // what each row's part is multiplied by in the gradient
  double* losses = nullptr;        // each row's part is added, times `share`
  double* slope = nullptr;         // ∂/∂C, written; null: not wanted
  index number = -1;               // which of a batch's problems, for messages; −1: there is one
};

/// What is added up to the value, once there are a plan and its potentials, and the way back to C:
/// through the plan, where the route asks for it, by pull_back(g), which turns ∂L/∂P into ∂L/∂C in
/// place, and C itself.
///
/// f, g      P = exp((f⊕g − C)/ε)
/// plan_row(i, out)
/// spare     room for 2·samples numbers
template <class PlanRow, class PullBack>
void finish_sinkd(sinkd const& what, sinkd_task const& task, double const* f, double const* g,
                  PlanRow const& plan_row, PullBack const& pull_back, double* spare) {
  index const n = task.samples;
  bool const entropic = what.objective == transport_objective::entropic;
  bool const through = what.gradient == route::unrolled || what.gradient == route::implicit;
  double const own_mass = 2 * what.epsilon * std::log(task.mass), both = task.mass * task.mass;
  double *const plan = spare, *const slope = spare + n;
  for (index i = 0; i < n; ++i) {
    double const* const cost = task.cost + i * n;
    plan_row(i, plan);
    double part = 0;
    for (index j = 0; j < n; ++j) {
      // ∂/∂P of P C + ε(P ln(P/ab) − P + ab), which is C + ε ln(P/ab)
      slope[j] = entropic ? f[i] + g[j] - own_mass : cost[j];
      part += plan[j] * slope[j];
      if (entropic) part += what.epsilon * (both - plan[j]);
    }
    task.losses[i] += task.share * part;
    if (task.slope == nullptr) continue;
    double const scale = through ? task.share * task.scales[i] : 0;
    for (index j = 0; j < n; ++j) task.slope[i * n + j] = scale * slope[j];
  }
  if (task.slope == nullptr) return;
  if (through) pull_back(task.slope);
  for (index i = 0; i < n; ++i) {
    plan_row(i, plan);
    double const scale = task.share * task.scales[i];
    for (index j = 0; j < n; ++j) task.slope[i * n + j] += scale * plan[j];
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
