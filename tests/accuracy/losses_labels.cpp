// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <accuracy/run_losses.hpp>

namespace losses {

struct label_kinds {
  template <class Answer, class With>
  static Answer dispatch(loss const& l, With const& with) {
    switch (l.what) {
      case kind::soft_cross_entropy:
        return with(divot::soft_cross_entropy{});
      case kind::cross_entropy:
        return with(divot::cross_entropy{.smoothing = l.a, .z_loss = l.b});
      case kind::z_loss:
        return with(divot::z_loss{});
      default:
        return {};
    }
  }
};

template answer<float> run_kinds<label_kinds>(policy, loss const&, problem<float> const&, wanted);
template answer<double> run_kinds<label_kinds>(policy, loss const&, problem<double> const&, wanted);

}  // namespace losses
