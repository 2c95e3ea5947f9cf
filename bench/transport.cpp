// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// SinKD and the solver of transport problems; beside them the exponentials of SinKD's softmaxes and
// of its sweeps' plans, each once, from cache.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <benchmark/benchmark.h>

#include <sys/resource.h>

#include <random>
#include <type_traits>
#include <utility>
#include <vector>

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

template <class T>
using matrix_of = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Costs from 0 to 1, which float keeps a kernel of at ε = 0.1.
template <class T>
matrix_of<T> costs(Eigen::Index n, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<T> number(0, 1);
  return matrix_of<T>::NullaryExpr(n, n, [&] { return number(generator); });
}

/// Sinkhorn's sweeps on a kernel: 100 of them, first pass and last look included.
template <class T>
void kernel_sweeps(benchmark::State& state) {
  constexpr int sweeps = 100;
  Eigen::Index const n = state.range(0);
  matrix_of<T> const cost = costs<T>(n, 7);
  for (auto _ : state) {
    benchmark::DoNotOptimize(divot::sinkhorn(cost, {.epsilon = .1, .sweeps = sweeps}).dual);
  }
  auto const entries = static_cast<double>(n * n) * sweeps;
  state.counters["entries"] =
      benchmark::Counter(entries, benchmark::Counter::kIsIterationInvariantRate);
}

/// The same on potentials: an exponential an entry.
template <class T>
void log_sweeps(benchmark::State& state) {
  auto const policy = divot::runs_as(divot::simd);
  using policy_type = std::remove_const_t<decltype(policy)>;
  Eigen::Index const n = state.range(0);
  divot::dense_costs<T> const given(costs<T>(n, 7));
  using passes_type = divot::plan_passes<policy_type>;
  passes_type const passes(policy, passes_type::costs_type(given), .1);
  divot::transport_marginals to;
  to.epsilon = .1;
  to.a = to.b = divot::equal_masses(n);
  Eigen::VectorXd f = Eigen::VectorXd::Zero(n), g = f, sums = f;
  divot::potential_sweeps<T, policy_type> sweeps(passes, to, f, g, false);
  for (auto _ : state) {
    sweeps.rows(sums, {});
    sweeps.columns(sums, {});
    benchmark::DoNotOptimize(g.data());
  }
  state.counters["entries"] =
      benchmark::Counter(static_cast<double>(n * n), benchmark::Counter::kIsIterationInvariantRate);
}

/// An exponential of every entry, from cache.
template <class T>
void cached_exponentials(benchmark::State& state) {
  Eigen::Array<T, Eigen::Dynamic, 1> const x = Eigen::Array<T, Eigen::Dynamic, 1>::Random(2048);
  Eigen::Array<T, Eigen::Dynamic, 1> y(2048);
  for (auto _ : state) {
    y = x.exp();
    benchmark::DoNotOptimize(y.data());
  }
  state.counters["entries"] =
      benchmark::Counter(2048, benchmark::Counter::kIsIterationInvariantRate);
}

/// 64 problems of 64 rows and columns in float, to 1e-5.
template <class Policy>
void batch_of_problems(benchmark::State& state, Policy const& policy) {
  std::vector<matrix> all;
  for (unsigned k = 0; k < 64; ++k) all.push_back(costs<float>(64, k));
  for (auto _ : state) {
    auto const solved = divot::sinkhorn_batch(policy, all, {.epsilon = .1});
    benchmark::DoNotOptimize(solved.data());
  }
}

/// A sweep of a problem of points whose costs would not fit into memory, and the values.
template <class Policy>
void points(benchmark::State& state, Policy const& policy) {
  Eigen::Index const n = state.range(0);
  matrix const x = random(n, 16, 8), y = random(n, 16, 9);
  for (auto _ : state) {
    auto const solved = divot::sinkhorn(policy, divot::points(x, y), {.epsilon = 20, .sweeps = 1});
    benchmark::DoNotOptimize(solved.dual);
  }
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  state.counters["peak_MiB"] = static_cast<double>(used.ru_maxrss) / 1024;
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
BENCHMARK_TEMPLATE(cached_exponentials, float);
BENCHMARK_TEMPLATE(cached_exponentials, double);
BENCHMARK_TEMPLATE(kernel_sweeps, float)->RangeMultiplier(2)->Range(64, 1024)->UseRealTime();
BENCHMARK_TEMPLATE(kernel_sweeps, double)->Arg(64)->Arg(512)->Arg(2048)->UseRealTime();
BENCHMARK(log_sweeps<float>)->RangeMultiplier(4)->Range(64, 1024)->UseRealTime();
BENCHMARK(log_sweeps<double>)->Arg(64)->Arg(512)->Arg(2048)->UseRealTime();
BENCHMARK_CAPTURE(batch_of_problems, one_thread, divot::simd)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
#if DIVOT_HAS_OPENMP
BENCHMARK_CAPTURE(batch_of_problems, two_threads, divot::omp(2))
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(points, two_threads, divot::omp(2))
    ->Arg(20000)
    ->Arg(100000)
    ->Iterations(1)
    ->Repetitions(1)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();
#else
BENCHMARK_CAPTURE(points, one_thread, divot::simd)
    ->Arg(20000)
    ->Arg(100000)
    ->Iterations(1)
    ->Repetitions(1)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();
#endif
BENCHMARK(late_in_training)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
