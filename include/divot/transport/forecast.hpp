// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// How many more sweeps an error takes, from those behind. Early rates are those of what converges
/// fast, and rise: where their differences shrink they have a limit, by Aitken's rule; where not
/// the error falls as a power of the number of sweeps.
class sweep_forecast {
 public:
  void take(double error) {
    before_last_ = last_;
    last_ = rate_;
    rate_ = error / error_;
    error_ = error;
    ++sweeps_;
  }
  double rate() const { return rate_; }

  /// Sweeps until `goal` at this rate.
  double left_at(double rate, double goal) const {
    return rate < 1 ? std::log(goal / error_) / std::log(rate)
                    : std::numeric_limits<double>::infinity();
  }
  /// Sweeps until `goal`.
  double left(double goal) const {
    double const now = left_at(rate_, goal), step = rate_ - last_, before = last_ - before_last_;
    if (!(rate_ < 1 && step > 0 && before > 0)) return now;
    double const shrinks = step / before;
    double const limit = shrinks < 1 ? rate_ + step * shrinks / (1 - shrinks) : 1;
    if (limit < 1) return std::max(now, left_at(limit, goal));
    double const power = -sweeps_ * std::log(rate_);
    return std::max(now, sweeps_ * (std::pow(error_ / goal, 1 / power) - 1));
  }

 private:
  double error_ = std::numeric_limits<double>::infinity();
  double rate_ = 0, last_ = 0, before_last_ = 0, sweeps_ = 0;
};

}  // namespace DIVOT_ABI
}  // namespace divot
