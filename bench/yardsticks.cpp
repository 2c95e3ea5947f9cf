// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What the machine can do at best: move memory (an in-place triad on as many bytes as the 512×32000
// problem has) and take exponentials (two for each pair of logits, from cache).
#include "cases.hpp"

#include <divot/team/xsimd_lanes.hpp>

#include <algorithm>

namespace bench {

namespace {

constexpr index triad_size = wide.rows * wide.cols;

void triad(float* b, float const* a, [[maybe_unused]] int workers) {
#if DIVOT_HAS_OPENMP
#pragma omp parallel for simd schedule(static) num_threads(workers)
#endif
  for (index i = 0; i < triad_size; ++i) b[i] += a[i];
}

void measure_triad(benchmark::State& state, int workers) {
  auto& all = logits<float>();
  measure(
      state, [] {}, [&] { triad(all.elsewhere.get(), all.teacher.get(), workers); });
  if (!std::isfinite(all.elsewhere[0])) state.SkipWithError("the triad overflowed");
  std::fill_n(all.elsewhere.get(), triad_size, 0.f);
  count(state, triad_size, 12, workers);
}

using pack = divot::pack<float>;

/// e^x for −87 ≤ x ≤ 0, as cheap as full precision comes. The yardstick's own, so that it does not
/// become kinder when the library's exponential becomes dearer.
DIVOT_INLINE pack plain_exp(pack const& x) {
  using traits = divot::lane_traits<pack>;
  pack const scale(1.44269504f);
  pack const rounder(traits::rounder);
  pack const n = traits::fma(x, scale, rounder) - rounder;
  pack const y = divot::math::exp2_reduced(traits::fms(x, scale, n));
#if defined(__AVX512F__)
  return traits::scale2(y, n);  // one instruction
#else
  return y * traits::power_of_two(n);
#endif
}

/// Σ e^x + e^y over packs, as a loss would take them.
float two_exponentials(float const* x, float const* y, index n) {
  using traits = divot::lane_traits<pack>;
  pack a(0.f), b(0.f);
  for (index i = 0; i < n; i += static_cast<index>(traits::size)) {
    a += plain_exp(traits::load(x + i));
    b += plain_exp(traits::load(y + i));
  }
  float sum = 0;
  for (float const e : traits::to_array(a + b)) sum += e;
  return sum;
}

void measure_exponentials(benchmark::State& state) {
  auto const& all = logits<float>();
  constexpr index n = cached.cols;
  auto const x = make_numbers<float>(n), y = make_numbers<float>(n);
  auto const below_zero = [](float logit) { return -std::abs(logit) * 3; };
  std::transform(all.teacher.get(), all.teacher.get() + n, x.get(), below_zero);
  std::transform(all.original.get(), all.original.get() + n, y.get(), below_zero);
  double expected = 0;
  for (index i = 0; i < n; ++i) expected += std::exp(double(x[i])) + std::exp(double(y[i]));
  if (std::abs(static_cast<double>(two_exponentials(x.get(), y.get(), n)) / expected - 1) > 1e-4) {
    state.SkipWithError("the exponentials are wrong");
    return;
  }
  measure(
      state, [] {}, [&] { benchmark::DoNotOptimize(two_exponentials(x.get(), y.get(), n)); });
  count(state, n, 8, 1);
}

}  // namespace

void add_yardsticks() {
  auto const add = [](char const* name, auto const& f) {
    benchmark::RegisterBenchmark(name, f)->UseManualTime()->Unit(benchmark::kMicrosecond);
  };
  add("triad/1", [](benchmark::State& state) { measure_triad(state, 1); });
#if DIVOT_HAS_OPENMP
  add("triad/2", [](benchmark::State& state) { measure_triad(state, threads); });
#endif
  add("two_exponentials", measure_exponentials);
}

}  // namespace bench
