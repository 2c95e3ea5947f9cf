// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/softmax_side.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// log softmax of elements on lanes: (x − max)/T − log Z.
template <class V>
class log_softmax_lanes {
 public:
  log_softmax_lanes() = default;
  template <class Team>
  DIVOT_HD explicit log_softmax_lanes(softmax_side<Team> const& side)
      : max_(spread<V>(side.max())),
        inverse_(spread<V>(side.inverse_temperature())),
        log_z_(spread<V>(side.log_z())) {}
  DIVOT_INLINE V operator()(V const& x) const { return math::fms(V(x - max_), inverse_, log_z_); }

 private:
  V max_, inverse_, log_z_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
