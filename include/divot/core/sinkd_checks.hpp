// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/options.hpp>
#include <divot/core/sinkd.hpp>

#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// Whether the objective, its form and the route go together; see route.
inline void check_sinkd_route(sinkd const& what) {
  bool const of_limit = what.gradient == route::implicit || what.gradient == route::envelope;
  if (what.debiased && what.objective != transport_objective::entropic) {
    fail(
        "sinkd: the debiased form is made of entropic values, which are 0 together where both "
        "sides agree: ask for objective = transport_objective::entropic");
  }
  if (what.gradient == route::envelope && what.objective == transport_objective::transport_cost) {
    fail(
        "sinkd: route::envelope holds the plan, and is the gradient of the entropic value alone, "
        "which the plan minimises; the transport cost's is route::unrolled (or implicit, with "
        "sweeps = 0). To hold the plan all the same there is route::plan_detached");
  }
  if (what.debiased && what.sweeps > 0) {
    fail(
        "sinkd: the debiased form's gradient is 0 where both sides agree only once the sweeps have "
        "converged: ask for sweeps = 0 and route::envelope or implicit");
  }
  if (what.sweeps > 0 && of_limit) {
    fail("sinkd: route::", what.gradient == route::implicit ? "implicit" : "envelope",
         " is the gradient of the limit, not of what ", what.sweeps,
         " sweeps compute: ask for sweeps = 0 (until converged), or for route::unrolled");
  }
  if (what.sweeps == 0 && what.gradient == route::unrolled) {
    fail(
        "sinkd: sweeps = 0 sweeps until converged, and there is no number of sweeps to unroll: ask "
        "for gradient = route::implicit, or of the entropic value for route::envelope");
  }
}

/// The options, whoever works them out. numbers: the cost compares what models put out as it
/// stands.
inline void check_sinkd_options(sinkd const& what, divot::reduction how, bool numbers) {
  if (!(what.temperature > 0 && std::isfinite(what.temperature))) {
    fail("sinkd: the temperature is ", what.temperature, "; it must be positive and finite");
  }
  if (numbers && what.temperature != sinkd{}.temperature) {
    fail("sinkd: the temperature is ", what.temperature,
         "; absolute_difference compares numbers as they are, and there is nothing to divide");
  }
  if (!(what.epsilon >= 1e-12 && std::isfinite(what.epsilon))) {
    fail("sinkd: epsilon is ", what.epsilon, "; it must be at least 1e-12 and finite");
  }
  if (what.sweeps < 0) {
    fail("sinkd: sweeps is ", what.sweeps, "; it must be at least 1, or 0: until converged");
  }
  if (!(what.tolerance >= 0 && std::isfinite(what.tolerance))) {
    fail("sinkd: the tolerance is ", what.tolerance, "; it must be finite and not negative");
  }
  if (what.rows_per_problem < 0) {
    fail("sinkd: rows_per_problem is ", what.rows_per_problem,
         "; it must be positive, or 0: all rows are one problem");
  }
  check_sinkd_route(what);
  if (what.mass == mass::probability && how == reduction::mean) {
    fail(
        "sinkd: with mass::probability the value is a mean over the samples already; ask for "
        "batch::reduction sum");
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
