// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// One benchmark: a loss and its gradient on one problem with one policy.
//
// Names are loss/rows×columns/policy, with /bf16, /column_major or /out_of_place where it differs
// from fp32, row-major, in place. The table is made from the counters: `elements` (pairs of
// logits), `bytes` (minimum traffic per element), `workers` and `least`.

#include "problem.hpp"

#include <divot/divot.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace bench {

struct shape {
  index rows, cols;
};

/// Times `work()`; `restore()` runs before each, off the clock. The counter `least` is the shortest
/// time in nanoseconds: what remains where others use the machine too.
template <class Restore, class Work>
void measure(benchmark::State& state, Restore const& restore, Work const& work) {
  double least = std::numeric_limits<double>::infinity();
  for (auto _ : state) {
    restore();
    auto const begin = std::chrono::steady_clock::now();
    work();
    benchmark::ClobberMemory();
    std::chrono::duration<double> const time = std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(time.count());
    least = std::min(least, time.count());
  }
  state.counters["least"] = 1e9 * least;
}

inline void count(benchmark::State& state, double elements, double bytes, double workers) {
  state.counters["elements"] = elements;
  state.counters["bytes"] = bytes;
  state.counters["workers"] = workers;
}

template <class Policy>
std::string policy_name(Policy const& policy) {
  if constexpr (std::is_same_v<Policy, divot::omp_policy>) {
    return "omp(" + std::to_string(policy.threads) + ")";
  } else {
    return "simd";
  }
}

template <class Policy>
int workers_of(Policy const& policy) {
  if constexpr (std::is_same_v<Policy, divot::omp_policy>) return policy.threads;
  return 1;
}

/// A label a row, for the losses that want one: they all are 0.
inline std::span<std::int64_t const> labels(index rows) {
  static std::vector<std::int64_t> const zeros(65536);
  return std::span(zeros).first(static_cast<std::size_t>(rows));
}

/// A loss on one problem.
template <class Storage, class Policy, class L>
struct loss_case {
  Policy policy;
  L what;
  shape size;
  layout how = layout::row_major;
  bool in_place = true;
  /// Shared by the copies that Google Benchmark makes: the result is checked once.
  std::shared_ptr<bool> checked = std::make_shared<bool>(false);

  std::size_t count() const {
    return static_cast<std::size_t>(size.rows) * static_cast<std::size_t>(size.cols);
  }
  float run(divot::workspace& memory) const {
    auto& all = logits<Storage>();
    auto const student = view(all.student.get(), size.rows, size.cols, how);
    auto const gradient = in_place ? student : view(all.elsewhere.get(), size.rows, size.cols, how);
    return divot::value_and_gradient(
        policy, what, view(all.teacher.get(), size.rows, size.cols, how), student, gradient,
        {.reduction = divot::reduction::sum, .labels = labels(size.rows), .workspace = &memory});
  }

  /// What is wrong with the result, if anything: all of it must be finite, and the first and the
  /// last row must agree with `seq`.
  std::string flaw(divot::workspace& memory) const {
    auto& all = logits<Storage>();
    all.restore(count());
    if (!std::isfinite(run(memory))) return "the loss is not finite";
    Storage const* const got = in_place ? all.student.get() : all.elsewhere.get();
    for (std::size_t i = 0; i < count(); ++i) {
      if (!std::isfinite(static_cast<float>(got[i]))) return "the gradient is not finite";
    }
    for (index const r : {index{0}, size.rows - 1}) {
      auto const row = [&](auto* data) {
        auto m = view(data, size.rows, size.cols, how);
        m.data += r * m.row_stride;
        m.rows = 1;
        return m;
      };
      std::vector<float> exact(static_cast<std::size_t>(size.cols));
      divot::gradient(divot::seq, what, row(all.teacher.get()), row(all.original.get()),
                      divot::matrix_ref<float>(exact.data(), 1, size.cols),
                      {.reduction = divot::reduction::sum, .labels = labels(1)});
      auto const mine = row(got);
      double difference = 0, norm = 0;
      for (index k = 0; k < size.cols; ++k) {
        double const e = static_cast<double>(exact[static_cast<std::size_t>(k)]);
        double const g = static_cast<double>(static_cast<float>(mine.data[k * mine.col_stride]));
        difference += (g - e) * (g - e);
        norm += e * e;
      }
      // bf16 keeps 8 bits of each entry
      double const allowed = sizeof(Storage) == 2 ? 4e-3 : 1e-5;
      if (!(std::sqrt(difference) <= allowed * std::sqrt(norm))) {
        return "the gradient of row " + std::to_string(r) + " differs from seq by " +
               std::to_string(std::sqrt(difference / norm));
      }
    }
    return {};
  }

  void operator()(benchmark::State& state) const {
    divot::workspace memory;
    if (!*checked) {
      if (std::string const found = flaw(memory); !found.empty()) {
        state.SkipWithError(found.c_str());
        return;
      }
      *checked = true;
    }
    measure(
        state,
        [&] {
          if (in_place) logits<Storage>().restore(count());
        },
        [&] { benchmark::DoNotOptimize(run(memory)); });
    logits<Storage>().restore(count());
    bench::count(state, static_cast<double>(count()), 3. * sizeof(Storage), workers_of(policy));
  }
};

template <class Storage, class Policy, class L>
void add(std::string const& loss, std::string const& variant,
         loss_case<Storage, Policy, L> const& c) {
  std::string const name = loss + "/" + std::to_string(c.size.rows) + "x" +
                           std::to_string(c.size.cols) + "/" + policy_name(c.policy) + variant;
  benchmark::RegisterBenchmark(name.c_str(), c)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

inline constexpr shape cached{1, 32000}, wide{512, 32000};

/// A row in cache.
template <class L>
void add_cached(std::string const& name, L const& what) {
  add(name, "", loss_case<float, divot::simd_policy, L>{divot::simd, what, cached});
}

/// What a loss is measured on: a row in cache, and a batch on one thread and on several.
template <class L>
void add_loss(std::string const& name, L const& what) {
  add_cached(name, what);
  add(name, "", loss_case<float, divot::simd_policy, L>{divot::simd, what, wide});
#if DIVOT_HAS_OPENMP
  add(name, "", loss_case<float, divot::omp_policy, L>{divot::omp(threads), what, wide});
#endif
}

/// Each registers what its file measures.
void add_yardsticks();
void add_kl();
void add_others();
void add_mixtures();
void add_alpha_beta();
void add_catalogue();
void add_storage();

}  // namespace bench
