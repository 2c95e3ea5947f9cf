// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <accuracy/run_losses.hpp>

namespace losses {

template <class T>
answer<T> run_seq(loss const& l, problem<T> const& given, wanted what) {
  return dispatch(divot::seq, l, given, what);
}
template answer<float> run_seq(loss const&, problem<float> const&, wanted);
template answer<double> run_seq(loss const&, problem<double> const&, wanted);

}  // namespace losses
