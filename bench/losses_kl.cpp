// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "cases.hpp"

namespace bench {

void add_kl() {
  add_loss("kl", divot::kl{});
  add_loss("reverse_kl", divot::reverse_kl{});

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
