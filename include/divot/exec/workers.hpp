// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/exec/policy.hpp>

#include <exception>
#include <type_traits>

#if DIVOT_HAS_OPENMP
#include <omp.h>
#endif

namespace divot {
inline namespace DIVOT_ABI {

/// What a policy runs as: simd is omp(1) where there is OpenMP, so that a program that uses both
/// compiles the kernels once.
template <execution_policy Policy>
constexpr auto runs_as(Policy const& policy) {
#if DIVOT_HAS_OPENMP
  if constexpr (std::is_same_v<Policy, simd_policy>)
    return omp_policy{1};
  else
    return policy;
#else
  return policy;
#endif
}

template <execution_policy Policy>
void check_policy([[maybe_unused]] Policy const& policy) {
  if constexpr (std::is_same_v<Policy, omp_policy>) {
    if (policy.threads < 0) {
      fail("omp: the number of threads is ", policy.threads,
           "; it must be positive (0, or omp alone: as many as OpenMP would take)");
    }
  }
}

/// How many workers a policy has for this much work (elements touched).
///
/// One inside a parallel region, and below a threshold where waking threads costs more than they
/// save. Never more than there are processors: OpenMP's threads would spin each other to death.
template <execution_policy Policy>
int worker_count(Policy const& policy, double elements) {
  if constexpr (std::is_same_v<Policy, omp_policy>) {
#if DIVOT_HAS_OPENMP
    constexpr double least_work = 1 << 15;
    if (omp_in_parallel() || elements < least_work) return 1;
    int const wanted = policy.threads > 0 ? policy.threads : omp_get_max_threads();
    int const there = omp_get_num_procs();
    return wanted < there ? wanted : there;
#else
    static_assert(!std::is_same_v<Policy, omp_policy>,
                  "divot: policy 'omp' needs OpenMP: link divot::openmp or compile with -fopenmp");
    (void)policy, (void)elements;
    return 1;
#endif
  } else {
    (void)policy, (void)elements;
    return 1;
  }
}

/// Calls work(me, team) for every worker me of the team, in parallel where the policy says so. The
/// team may turn out smaller than asked for.
///
/// Exceptions do not cross the parallel region: the first one is thrown after it.
template <execution_policy Policy, class Work>
void run_workers(Policy const&, int workers, Work const& work) {
  if constexpr (std::is_same_v<Policy, omp_policy>) {
#if DIVOT_HAS_OPENMP
    if (workers > 1) {
      std::exception_ptr thrown;
#pragma omp parallel num_threads(workers)
      {
        try {
          work(omp_get_thread_num(), omp_get_num_threads());
        } catch (...) {
#pragma omp critical(divot)
          {
            if (!thrown) thrown = std::current_exception();
          }
        }
      }
      if (thrown) std::rethrow_exception(thrown);
      return;
    }
#endif
  }
  (void)workers;
  work(0, 1);
}

/// Waits for all workers of the current parallel region.
inline void wait_for_workers() {
#if DIVOT_HAS_OPENMP
#pragma omp barrier
#endif
}

}  // namespace DIVOT_ABI
}  // namespace divot
