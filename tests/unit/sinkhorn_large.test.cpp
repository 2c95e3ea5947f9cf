// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Problems whose cost matrix would not fit, 20 000 points on either side being 3.2 GB of it, and
// those that are too large for Newton's method: over-relaxed sweeps.
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

/// Costs that take many sweeps: points of two groups, between which little moves.
Eigen::MatrixXd hard_costs(Eigen::Index count, unsigned seed) {
  Eigen::MatrixXd x = random_points(count, 2, seed), y = random_points(count, 2, seed + 1);
  x.topRows(count / 2).array() += 1.5;
  y.topRows(count / 2 + 1).array() += 1.5;
  Eigen::MatrixXd cost(count, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    cost.row(i) = (y.rowwise() - x.row(i)).rowwise().norm().transpose();
  }
  return cost;
}

TEST_CASE("where Newton's method is too dear, sweeps are over-relaxed, and come to the same") {
  Eigen::MatrixXd const cost = hard_costs(400, 3);
  for (double const epsilon : {.2, .1}) {
    divot::sinkhorn_options options{.epsilon = epsilon};
    auto const s = divot::sinkhorn(cost, options);
    options.newton_steps = 0;
    options.over_relaxation = false;
    auto const plain = divot::sinkhorn(cost, options);
    CAPTURE(plain.sweeps);
    CHECK(s.status == divot::transport_status::converged);
    CHECK(plain.status == divot::transport_status::converged);
    CHECK(s.newton_steps == 0);
    CHECK(s.relaxation > 1);
    CHECK(plain.relaxation == 1);
    CHECK(3 * s.sweeps <= plain.sweeps);
    CHECK(s.row_error + s.column_error <= 1e-9);
    CHECK(std::abs(s.transport_cost - plain.transport_cost) <= 1e-7);
    CHECK(std::abs(s.entropic - plain.entropic) <= 1e-8);
    CHECK((s.plan() - plain.plan()).cwiseAbs().maxCoeff() <= 1e-7);
  }
}

TEST_CASE("Newton's steps never take much longer than sweeps alone would") {
  // from class to class at their distances: sweeps get there, steps lose their way
  Eigen::Index const count = 128;
  Eigen::MatrixXd const x = random_points(count, 16, 7);
  Eigen::MatrixXd cost(count, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    cost.row(i) = (x.rowwise() - x.row(i)).rowwise().norm().transpose();
  }
  cost /= cost.maxCoeff();
  auto const masses = [&](unsigned seed) {
    Eigen::VectorXd const a = (3 * random_points(count, 1, seed).col(0).array()).exp();
    return Eigen::VectorXd(a / a.sum());
  };
  int const step = 44;  // what a step costs in sweeps, measured
  for (unsigned const seed : {1u, 2u, 3u}) {
    for (double const epsilon : {.1, .05, .02, .005}) {
      divot::sinkhorn_options options{.epsilon = epsilon};
      auto const s = divot::sinkhorn(cost, masses(seed), masses(seed + 10), options);
      options.newton_steps = 0;
      auto const alone = divot::sinkhorn(cost, masses(seed), masses(seed + 10), options);
      CAPTURE(epsilon);
      CHECK(s.status == divot::transport_status::converged);
      CHECK(alone.status == divot::transport_status::converged);
      CHECK(s.sweeps + step * s.newton_steps <= 3 * alone.sweeps + step);
      CHECK(std::abs(s.entropic - alone.entropic) <= 1e-8);
    }
  }
}

TEST_CASE("relaxed sweeps are never many more than plain ones") {
  int fewer = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    transport_problem p = random_problem(20 + seed, 30 + 2 * (seed % 7), seed);
    if (seed % 2 == 1) p.cost = hard_costs(24, seed).topRows(20), p.a = p.a.head(20).eval();
    if (seed % 2 == 1) p.b = p.b.head(24).eval(), p.b *= p.a.sum() / p.b.sum();
    for (double const epsilon : {.3, .05}) {
      divot::sinkhorn_options options{.epsilon = epsilon, .max_sweeps = 50000, .newton_steps = 0};
      auto const s = divot::sinkhorn(p.cost, p.a, p.b, options);
      options.over_relaxation = false;
      auto const plain = divot::sinkhorn(p.cost, p.a, p.b, options);
      CAPTURE(seed);
      CAPTURE(epsilon);
      REQUIRE(plain.status == divot::transport_status::converged);
      CHECK(s.status == divot::transport_status::converged);
      CHECK(s.sweeps <= plain.sweeps + 8);
      CHECK(std::abs(s.entropic - plain.entropic) <= 1e-8);
      fewer += 2 * s.sweeps < plain.sweeps;
    }
  }
  CHECK(fewer >= 10);
}

TEST_CASE("sweeps on potentials are relaxed, too") {
  Eigen::MatrixXd const x = random_points(2100, 1, 5), y = random_points(2100, 1, 6);
  divot::sinkhorn_options options{.epsilon = .1, .max_sweeps = 50, .newton_steps = 0};
  auto const s = divot::sinkhorn(divot::points(x, y), options);
  options.over_relaxation = false;
  auto const plain = divot::sinkhorn(divot::points(x, y), options);
  CHECK(s.domain == divot::transport_domain::logarithms);
  CHECK(s.relaxation > 1);
  CHECK(s.row_error + s.column_error <= .1 * (plain.row_error + plain.column_error));
  CHECK(s.dual >= plain.dual);
}

}  // namespace
