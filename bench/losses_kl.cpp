// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "cases.hpp"

namespace bench {

/// A row in cache, with diagnostics of the row and the masses of its head.
void kl_with_diagnostics(benchmark::State& state) {
  divot::workspace memory;
  divot::diagnostics<> asked;
  asked.head = 10;
  auto& all = logits<float>();
  index const rows = cached.rows, cols = cached.cols;
  auto const student = view(all.student.get(), rows, cols, layout::row_major);
  auto const n = static_cast<std::size_t>(cols);
  measure(
      state, [&] { all.restore(n); },
      [&] {
        benchmark::DoNotOptimize(divot::value_and_gradient(
            divot::kl{}, view(all.teacher.get(), rows, cols, layout::row_major), student,
            divot::gradients().student(student).diagnostics(asked), {.workspace = &memory}));
      });
  if (!(asked.mean.student_entropy > 0)) state.SkipWithError("the entropy is not positive");
  all.restore(n);
  count(state, static_cast<double>(cols), 3. * sizeof(float), 1);
}

void add_kl() {
  add_loss("kl", divot::kl{});
  add_loss("reverse_kl", divot::reverse_kl{});

  benchmark::RegisterBenchmark("kl with diagnostics/1x32000/simd", kl_with_diagnostics)
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);

  // KL on other shapes
  using one = loss_case<float, divot::simd_policy, divot::kl>;
  add("kl", "", one{divot::simd, {}, {128, 151936}});
  add("kl", "", one{divot::simd, {}, {4096, 1000}});
  add("kl", "", one{divot::simd, {}, {65536, 10}});
  add("kl", "/column_major", one{divot::simd, {}, wide, layout::column_major});
  add("kl", "/out_of_place", one{divot::simd, {}, wide, layout::row_major, false});
#if DIVOT_HAS_OPENMP
  using several = loss_case<float, divot::omp_policy, divot::kl>;
  add("kl", "", several{divot::omp(threads), {}, {128, 151936}});
  add("kl", "", several{divot::omp(threads), {}, {4096, 1000}});
  add("kl", "/column_major", several{divot::omp(threads), {}, wide, layout::column_major});
  add("kl", "/out_of_place", several{divot::omp(threads), {}, wide, layout::row_major, false});
#endif
}

}  // namespace bench
