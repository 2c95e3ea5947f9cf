// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/sinkhorn.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// Refuses a route that is not of this objective, or not of how the problem was solved; see route.
template <class Solution>
void check_transport_route(Solution const& s, transport_objective of, route by) {
  constexpr char const* name = "transport_solution::gradient: ";
  if (!s.flaw.empty()) fail(name, "there is no solution: ", s.flaw);
  if (by == route::plan_detached) return;
  if (by == route::envelope && of == transport_objective::transport_cost) {
    fail(name,
         "route::envelope holds the plan, and is the gradient of the entropic value alone, which "
         "the plan minimises; the transport cost's is route::implicit or, of a fixed number of "
         "sweeps, unrolled. To hold the plan all the same there is route::plan_detached");
  }
  if (by == route::unrolled) {
    if (s.status != transport_status::sweeps_done && s.f.size() > 0) {
      fail(name,
           "route::unrolled is that of a fixed number of sweeps, and this problem was solved until "
           "converged: ask for sweeps = N, or for route::implicit");
    }
    if (!s.to.exact()) {
      fail(name,
           "route::unrolled is for masses that are kept exactly; with penalties leave out sweeps, "
           "and ask for route::implicit");
    }
  } else if (s.status == transport_status::sweeps_done ||
             s.status == transport_status::max_sweeps) {
    fail(name, "the problem is not solved (the marginals are off by ",
         (s.row_error + s.column_error) / s.to.a.sum(),
         " of the mass), and route::implicit and envelope are of the limit: leave out sweeps, or "
         "raise max_sweeps or the tolerance; what a fixed number of sweeps computes has "
         "route::unrolled");
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
