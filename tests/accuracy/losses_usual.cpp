// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <accuracy/run_losses.hpp>

namespace losses {

struct usual_kinds {
  template <class Answer, class With>
  static Answer dispatch(loss const& l, With const& with) {
    switch (l.what) {
      case kind::kl:
        return with(divot::kl{});
      case kind::reverse_kl:
        return with(divot::reverse_kl{});
      case kind::jeffreys:
        return with(divot::jeffreys{});
      case kind::jensen_shannon:
        return with(divot::jensen_shannon{});
      case kind::skew_js:
        return with(divot::skew_js{.teacher_weight = l.a});
      case kind::skew_kl:
        return with(divot::skew_kl{.teacher_weight = l.a});
      case kind::reverse_skew_kl:
        return with(divot::reverse(divot::skew_kl{.teacher_weight = l.a}));
      case kind::squared_hellinger:
        return with(divot::squared_hellinger{});
      case kind::pearson:
        return with(divot::pearson{});
      case kind::neyman:
        return with(divot::neyman{});
      default:
        return {};
    }
  }
};

template answer<float> run_kinds<usual_kinds>(policy, loss const&, problem<float> const&, wanted);
template answer<double> run_kinds<usual_kinds>(policy, loss const&, problem<double> const&, wanted);

}  // namespace losses
