// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The packs of simd and omp are the same, so they are compiled together.

#include <accuracy/run_losses.hpp>

namespace losses {

template <class T>
answer<T> run_packs(policy p, loss const& l, problem<T> const& given, wanted what) {
  return p == policy::simd ? dispatch(divot::simd, l, given, what)
                           : dispatch(divot::omp(2), l, given, what);
}
template answer<double> run_packs(policy, loss const&, problem<double> const&, wanted);

}  // namespace losses
