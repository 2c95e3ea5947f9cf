// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <accuracy/run_losses.hpp>

namespace losses {

struct catalogue_kinds {
  template <class Answer, class With>
  static Answer dispatch(loss const& l, With const& with) {
    switch (l.what) {
      case kind::triangular:
        return with(divot::triangular{});
      case kind::arithmetic_geometric:
        return with(divot::arithmetic_geometric{});
      case kind::hockey_stick:
        return with(divot::hockey_stick{.threshold = l.a});
      case kind::reverse_hockey_stick:
        return with(divot::reverse(divot::hockey_stick{.threshold = l.a}));
      case kind::degroot:
        return with(divot::degroot{.prior = l.a});
      case kind::marton:
        return with(divot::marton{});
      case kind::reverse_marton:
        return with(divot::reverse(divot::marton{}));
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

template answer<float> run_kinds<catalogue_kinds>(policy, loss const&, problem<float> const&,
                                                  wanted);
template answer<double> run_kinds<catalogue_kinds>(policy, loss const&, problem<double> const&,
                                                   wanted);

}  // namespace losses
