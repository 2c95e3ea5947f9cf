// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// One unit: DIVOT_UNIT is its name, the flags are its own.

#include <odr/units.hpp>

#include <atomic>
#include <cmath>
#include <limits>

#if DIVOT_HAS_OPENMP
#include <omp.h>
#endif

#define DIVOT_TEXT_(x) #x
#define DIVOT_TEXT(x) DIVOT_TEXT_(x)

namespace odr {
namespace {

bool runs_here() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
#if defined(__AVX512F__)
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512cd")) {
    return false;
  }
#endif
#if defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2")) return false;
#endif
#if defined(__FMA__)
  if (!__builtin_cpu_supports("fma")) return false;
#endif
#if defined(__AVX__)
  if (!__builtin_cpu_supports("avx")) return false;
#endif
#endif
  return true;
}

divot::loss_result<float> kl(divot::kl what, input teacher, input student,
                             divot::batch const& options) {
  return divot::value(what, teacher, student, options);
}

divot::loss_result<float> sum(mixture const& what, divot::simd_policy policy, input teacher,
                              input student, divot::gradient_target<float> to,
                              divot::batch const& options) {
  return divot::value_and_gradient(policy, what, teacher, student, to, options);
}

divot::loss_result<float> own(divot::f_divergence<le_cam> what, divot::seq_policy policy,
                              input teacher, input student, divot::gradient_target<float> to,
                              divot::batch const& options) {
  return divot::value_and_gradient(policy, what, teacher, student, to, options);
}

#if DIVOT_HAS_OPENMP
std::atomic<unsigned> threads_seen{0};

/// Passes a number on and notes who read it.
struct watched {
  float operator()(float x) const {
    threads_seen |= 1u << omp_get_thread_num();
    return x;
  }
};

divot::loss_result<float> threads(divot::omp_policy policy, input teacher, input student,
                                  divot::gradient_target<float> to, int& seen) {
  threads_seen = 0;
  using dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<dense const> const matrix(teacher.data, teacher.rows, teacher.cols);
  auto const result =
      divot::value_and_gradient(policy, divot::kl{}, matrix.unaryExpr(watched{}), student, to);
  seen = __builtin_popcount(threads_seen);
  return result;
}
#endif

void fail() {
  float const x[2] = {0, std::numeric_limits<float>::quiet_NaN()};
  divot::value(divot::kl{}, input(x, 1, 2), input(x, 1, 2));
}

}  // namespace

unit const& DIVOT_UNIT() {
  static unit const self {
    DIVOT_TEXT(DIVOT_UNIT), DIVOT_TEXT(DIVOT_ABI), divot::pack<float>::size, runs_here, kl, sum,
        own,
#if DIVOT_HAS_OPENMP
        threads,
#else
        nullptr,
#endif
        fail
  };
  return self;
}

}  // namespace odr
