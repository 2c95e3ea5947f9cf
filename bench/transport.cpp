// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// SinKD and the solver of transport problems; beside them the exponentials of SinKD's softmaxes and
// of its sweeps' plans, each once, from cache.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <benchmark/benchmark.h>

#include <random>
#include <utility>

namespace {

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

matrix random(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  return matrix::NullaryExpr(rows, cols, [&] { return normal(generator); });
}

/// Rows × classes from the command line's arguments.
template <class Policy>
void sinkd(benchmark::State& state, Policy const& policy, bool gradient) {
  Eigen::Index const rows = state.range(0), classes = state.range(1);
  matrix const teacher = random(rows, classes, 1), student = random(rows, classes, 2);
  matrix g(rows, classes);
  divot::workspace memory;
  divot::batch const options{.workspace = &memory};
  for (auto _ : state) {
    float const loss =
        gradient ? divot::value_and_gradient(policy, divot::sinkd{}, teacher, student, g, options)
                 : divot::value(policy, divot::sinkd{}, teacher, student, options);
    benchmark::DoNotOptimize(loss);
    benchmark::DoNotOptimize(g.data());
  }
  auto const pairs = static_cast<double>(rows * rows) * static_cast<double>(classes);
  state.counters["pairs"] =
      benchmark::Counter(pairs, benchmark::Counter::kIsIterationInvariantRate);
}

void exponentials(benchmark::State& state) {
  Eigen::Index const rows = state.range(0), classes = state.range(1);
  matrix const x = random(1, 4096, 3);
  matrix y(1, 4096);
  Eigen::Index const count = 2 * rows * classes + rows * rows;
  for (auto _ : state) {
    for (Eigen::Index done = 0; done < count; done += 4096) {
      y.array() = x.array().exp();
      benchmark::DoNotOptimize(y.data());
    }
  }
}

/// Costs of a batch late in training, with a confident teacher and a student that follows it.
void late_in_training(benchmark::State& state) {
  Eigen::Index const rows = state.range(0), classes = 100;
  matrix teacher = random(rows, classes, 4), student = random(rows, classes, 5);
  std::mt19937 generator(6);
  for (Eigen::Index i = 0; i < rows; ++i) {
    auto const label = static_cast<Eigen::Index>(generator() % static_cast<unsigned>(classes));
    teacher(i, label) += 8;
    student(i, label) += 4;
  }
  divot::softmax(teacher, teacher);
  divot::softmax(student, student);
  Eigen::MatrixXd cost(rows, rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < rows; ++j) {
      cost(i, j) = static_cast<double>((student.row(i) - teacher.row(j)).lpNorm<1>());
    }
  }
  int sweeps = 0, steps = 0;
  for (auto _ : state) {
    auto const solved = divot::sinkhorn(cost, {.epsilon = .05});
    if (solved.status != divot::transport_status::converged) state.SkipWithError("not solved");
    sweeps = solved.sweeps;
    steps = solved.newton_steps;
  }
  state.counters["sweeps"] = sweeps;
  state.counters["newton"] = steps;
}

constexpr auto shapes = [](benchmark::internal::Benchmark* b) {
  for (auto const& [rows, classes] :
       {std::pair{16, 3}, {64, 10}, {64, 1000}, {64, 32000}, {256, 1000}}) {
    b->Args({rows, classes});
  }
  b->Unit(benchmark::kMillisecond)->UseRealTime();
};

BENCHMARK(exponentials)->Apply(shapes);
BENCHMARK_CAPTURE(sinkd, value, divot::simd, false)->Apply(shapes);
BENCHMARK_CAPTURE(sinkd, value_and_gradient, divot::simd, true)->Apply(shapes);
#if DIVOT_HAS_OPENMP
BENCHMARK_CAPTURE(sinkd, value_and_gradient_two_threads, divot::omp(2), true)->Apply(shapes);
#endif
BENCHMARK(late_in_training)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
