// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <parity/run.hpp>

namespace parity {

template <class T>
answer<T> run_simd(loss what, call<T> const& c) {
  return dispatch(divot::simd, what, c);
}
template answer<float> run_simd(loss, call<float> const&);
template answer<double> run_simd(loss, call<double> const&);

}  // namespace parity
