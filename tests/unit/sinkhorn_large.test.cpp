// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Problems whose cost matrix would not fit: 20 000 points on either side are 3.2 GB of it.
#include <doctest/doctest.h>
#include <divot/sinkhorn.hpp>
#include <unit/transport_problem.hpp>

#include <sys/resource.h>

namespace {

/// The most memory this process has had, in MiB.
double peak_memory() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) / 1024;
}

TEST_CASE("20 000 points with 16 coordinates on either side take less than 200 MiB") {
  Eigen::Index const count = 20000;
  Eigen::MatrixXd const x = random_points(count, 16, 1), y = random_points(count, 16, 2);
#if DIVOT_HAS_OPENMP
  auto const policy = divot::omp(2);
#else
  auto const policy = divot::simd;
#endif
  auto const s = divot::sinkhorn(policy, divot::points(x, y), {.epsilon = 20, .sweeps = 1});
  CHECK(s.domain == divot::transport_domain::logarithms);
  CHECK(s.column_error <= 1e-10);
  CHECK(s.row_error <= .05);
  CHECK(std::abs(s.mass - 1) <= 1e-10);
  // a few rows of the plan against the formula
  Eigen::VectorXd const f = s.row_potentials(), g = s.column_potentials();
  for (Eigen::Index const i : {0, 7777, 19999}) {
    double sum = 0;
    for (Eigen::Index j = 0; j < count; ++j) {
      sum += std::exp((f(i) + g(j) - (x.row(i) - y.row(j)).squaredNorm()) / 20);
    }
    CHECK(sum == doctest::Approx(s.rows(i)).epsilon(1e-10));
  }
  CHECK(peak_memory() < 200);
}

}  // namespace
