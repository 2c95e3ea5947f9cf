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

/// What of a plan's entries a problem's value is made of: P C, or P C + ε(P ln(P/ab) − P + ab).
struct sinkd_value {
  bool entropic;
  double epsilon, own_mass, both;

  DIVOT_HD sinkd_value(sinkd const& what, double mass)
      : entropic(what.objective == transport_objective::entropic),
        epsilon(what.epsilon),
        own_mass(2 * what.epsilon * std::log(mass)),
        both(mass * mass) {}
  /// ∂/∂P of it: C, or C + ε ln(P/ab) = f + g − ε ln(ab).
  DIVOT_HD double slope(double f, double g, double cost) const {
    return entropic ? f + g - own_mass : cost;
  }
  /// It.
  DIVOT_HD double of(double plan, double slope) const {
    return entropic ? plan * slope + epsilon * (both - plan) : plan * slope;
  }
};

/// Whether a route goes through the plan, and not only through C.
DIVOT_HD inline bool goes_through_plan(route r) {
  return r == route::unrolled || r == route::implicit;
}

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
  sinkd_value const value(what, task.mass);
  bool const through = goes_through_plan(what.gradient);
  double *const plan = spare, *const slope = spare + n;
  for (index i = 0; i < n; ++i) {
    double const* const cost = task.cost + i * n;
    plan_row(i, plan);
    double part = 0;
    for (index j = 0; j < n; ++j) {
      slope[j] = value.slope(f[i], g[j], cost[j]);
      part += value.of(plan[j], slope[j]);
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
