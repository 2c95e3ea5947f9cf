// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "cases.hpp"

namespace bench {

void add_storage() {
  using storage = Eigen::bfloat16;
  add("kl", "/bf16", loss_case<storage, divot::simd_policy, divot::kl>{divot::simd, {}, wide});
#if DIVOT_HAS_OPENMP
  add("kl", "/bf16",
      loss_case<storage, divot::omp_policy, divot::kl>{divot::omp(threads), {}, wide});
#endif
}

}  // namespace bench
