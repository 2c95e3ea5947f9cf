// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// How many more sweeps an error takes, from those behind. Early rates are those of what converges
/// fast, and rise: where their differences shrink they have a limit, by Aitken's rule; where not
/// the error falls as a power of the number of sweeps. Such forecasts jump: the least of the last
/// three is taken.
class sweep_forecast {
 public:
  explicit sweep_forecast(double goal) : goal_(goal) {}

  void take(double error) {
    before_last_ = last_;
    last_ = rate_;
    rate_ = error / error_;
    error_ = error;
    if (++sweeps_ < first) return;
    std::rotate(left_.begin(), left_.begin() + 1, left_.end());
    left_.back() = from_here();
  }
  double rate() const { return rate_; }

  /// Sweeps until the goal at this rate.
  double left_at(double rate) const {
    return rate < 1 ? std::log(goal_ / error_) / std::log(rate) : far;
  }
  /// Sweeps until the goal.
  double left() const { return *std::min_element(left_.begin(), left_.end()); }

 private:
  static constexpr int first = 8;  // nobody asks so early
  static constexpr double far = std::numeric_limits<double>::infinity();

  double from_here() const {
    double const now = left_at(rate_), step = rate_ - last_, before = last_ - before_last_;
    if (!(rate_ < 1 && step > 0 && before > 0)) return now;
    double const shrinks = step / before;
    double const limit = shrinks < 1 ? rate_ + step * shrinks / (1 - shrinks) : 1;
    if (limit < 1) return std::max(now, left_at(limit));
    double const power = -sweeps_ * std::log(rate_);
    return std::max(now, sweeps_ * (std::pow(error_ / goal_, 1 / power) - 1));
  }

  double goal_, error_ = far;
  double rate_ = 0, last_ = 0, before_last_ = 0, sweeps_ = 0;
  std::array<double, 3> left_{far, far, far};
};

}  // namespace DIVOT_ABI
}  // namespace divot
