// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The packs of simd and omp are the same, so they are compiled together.

#include <parity/run.hpp>

namespace parity {

template <class T>
answer<T> run_simd(loss what, call<T> const& c) {
  return dispatch(divot::simd, what, c);
}
template answer<float> run_simd(loss, call<float> const&);
template answer<double> run_simd(loss, call<double> const&);

#if DIVOT_HAS_OPENMP
template <class T>
answer<T> run_omp(int threads, loss what, call<T> const& c) {
  return dispatch(divot::omp(threads), what, c);
}
template answer<float> run_omp(int, loss, call<float> const&);
template answer<double> run_omp(int, loss, call<double> const&);
#endif

}  // namespace parity
