// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/softmax_side.hpp>
#include <divot/row/task.hpp>

#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

// Rows that a wider type must take over. Along a row `task.beyond` says so; across lanes it is the
// lane's loss, NaN meaning "not done".

/// A loss or a sum that is not finite, or so large that a class' part of the gradient, or what is
/// made of it for the temperature, might not be.
template <class Team>
DIVOT_HD bool leaves_range(row_task<Team>& task, typename Team::row const& loss,
                           typename Team::row const& total,
                           typename Team::row const& teacher_total) {
  using T = typename Team::scalar;
  using row = typename Team::row;
  if constexpr (!is_real<T> || Team::widest) {
    return false;
  } else {
    row const most = constant<row>(static_cast<double>(std::numeric_limits<T>::max()) * 1e-8);
    auto const fine =
        math::abs(loss) < most && math::abs(total) < most && math::abs(teacher_total) < most;
    if constexpr (Team::across) {
      task.loss = math::select(fine, task.loss, row(limits_of<row>::quiet_NaN()));
      return false;
    } else {
      task.beyond = !fine;
      return task.beyond;
    }
  }
}

/// Whether powers of probabilities may overflow, or logits are too large for them to have all their
/// digits; scalars take care of those.
template <class Team>
DIVOT_HD mask_of<typename Team::row> powers_leave_range(power_reach const& reach,
                                                        softmax_side<Team> const& teacher,
                                                        softmax_side<Team> const& student) {
  using row = typename Team::row;
  if constexpr (!is_real<typename Team::scalar> || Team::widest) {
    return row(0) > row(0);
  } else {
    constexpr double limit = std::is_same_v<typename Team::scalar, float> ? 86 : 706;
    // the smallest probabilities are e^−depth
    row const depth_p = row(teacher.range() + teacher.log_z());
    row const depth_q = row(student.range() + student.log_z());
    row const growth =
        row(depth_p * constant<row>(reach.growth_p) + depth_q * constant<row>(reach.growth_q));
    return math::opposite<row>(growth <= constant<row>(limit)) ||
           teacher.is_coarse(reach.largest) || student.is_coarse(reach.largest);
  }
}

/// Σ w̃ of a side, and the ω of its anchor that w̃ = w − q·ω was formed with.
template <class Row>
struct side_sums {
  Row total = Row(0), omega = Row(0);
};

/// Logits so far apart that probabilities underflow to 0, and a result that may hang on them: it is
/// tiny itself, or the probabilities were to be multiplied with something huge. Or logits that
/// leave the type's range when they are divided by the temperature.
template <bool Student, bool Teacher, class Team, class Bound>
DIVOT_HD bool underflows(row_task<Team>& task, [[maybe_unused]] Bound const& bound,
                         softmax_side<Team> const& teacher, softmax_side<Team> const& student,
                         typename Team::row const& loss, side_sums<typename Team::row> const& own,
                         side_sums<typename Team::row> const& of_teacher) {
  using T = typename Team::scalar;
  using row = typename Team::row;
  if constexpr (!is_real<T> || Team::widest) {
    return false;
  } else {
    // log p and log q lie within range + log(classes); formulas of p/q need that much room
    constexpr double limit = std::is_same_v<T, float> ? (Bound::spans_range ? 72 : 80) : 690;
    constexpr double small = std::is_same_v<T, float> ? 1e-8 : 1e-100;
    row const most = constant<row>(static_cast<double>(std::numeric_limits<T>::max()));
    auto const endless = math::opposite<row>(teacher.range() <= most && student.range() <= most);
    auto const wide =
        endless || teacher.range() > constant<row>(limit) || student.range() > constant<row>(limit);
    if (!math::any<row>(wide)) return false;
    row const tiny = constant<row>(small);
    row const lost = constant<row>(static_cast<double>(std::numeric_limits<T>::min()) * 1e9);
    auto const hangs_on_them = [&](side_sums<row> const& s) {
      return math::abs(s.total) < math::max(tiny, row(math::abs(s.omega) * lost));
    };
    auto matters = Bound::spans_range ? wide : endless;
    if constexpr (Student) matters = matters || (wide && hangs_on_them(own));
    if constexpr (Teacher) matters = matters || (wide && hangs_on_them(of_teacher));
    if constexpr (!Student && !Teacher) matters = matters || (wide && loss < tiny);
    if constexpr (Team::across) {
      task.loss = math::select(matters, row(limits_of<row>::quiet_NaN()), task.loss);
      return false;
    } else {
      task.beyond = matters;
      return matters;
    }
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
