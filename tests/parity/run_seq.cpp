// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <parity/run.hpp>

namespace parity {

template <class T>
answer<T> run_seq(loss what, call<T> const& c) {
  return dispatch(divot::seq, what, c);
}
template answer<float> run_seq(loss, call<float> const&);
template answer<double> run_seq(loss, call<double> const&);
template answer<long double> run_seq(loss, call<long double> const&);

}  // namespace parity
