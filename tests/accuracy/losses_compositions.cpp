// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <accuracy/run_losses.hpp>

namespace losses {

struct compositions_kinds {
  template <class Answer, class With>
  static Answer dispatch(loss const& l, With const& with) {
    switch (l.what) {
      case kind::skew_pearson:
        return with(divot::skew(divot::pearson{}, l.a));
      case kind::skew_reverse_kl:
        return with(divot::skew(divot::reverse_kl{}, l.a));
      case kind::symmetrized_pearson:
        return with(divot::symmetrized(divot::pearson{}));
      case kind::power_jensen_shannon:
        return with(divot::power(divot::jensen_shannon{}, l.a));
      case kind::renyi:
        return with(divot::renyi{.order = l.a});
      case kind::bhattacharyya:
        return with(divot::bhattacharyya{});
      case kind::sharma_mittal:
        return with(divot::sharma_mittal{.order = l.a, .degree = l.b});
      default:
        return {};
    }
  }
};

template answer<float> run_kinds<compositions_kinds>(policy, loss const&, problem<float> const&,
                                                     wanted);
template answer<double> run_kinds<compositions_kinds>(policy, loss const&, problem<double> const&,
                                                      wanted);

}  // namespace losses
