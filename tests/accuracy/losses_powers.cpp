// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <accuracy/run_losses.hpp>

namespace losses {

struct powers_kinds {
  template <class Answer, class With>
  static Answer dispatch(loss const& l, With const& with) {
    switch (l.what) {
      case kind::total_variation:
        return with(divot::total_variation{});
      case kind::le_cam:
        return with(divot::f_divergence<le_cam>{});
      case kind::alpha:
        return with(divot::alpha{.alpha = l.a});
      case kind::alpha_beta:
        return with(divot::alpha_beta{.alpha = l.a, .beta = l.b});
      default:
        return {};
    }
  }
};

template answer<float> run_kinds<powers_kinds>(policy, loss const&, problem<float> const&, wanted);
template answer<double> run_kinds<powers_kinds>(policy, loss const&, problem<double> const&,
                                                wanted);

}  // namespace losses
