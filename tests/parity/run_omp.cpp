// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <parity/run.hpp>

#if DIVOT_HAS_OPENMP
namespace parity {

template <class T>
answer<T> run_omp(int threads, loss what, call<T> const& c) {
  return dispatch(divot::omp(threads), what, c);
}
template answer<float> run_omp(int, loss, call<float> const&);
template answer<double> run_omp(int, loss, call<double> const&);

}  // namespace parity
#endif
