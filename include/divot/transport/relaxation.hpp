// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// Half sweeps that go ω times as far as the step that would give each row, or column, its mass.
///
/// Ref  Thibault, Chizat, Dossal and Papadakis (2021), Algorithms 14(5), 143
struct over_relaxation {
  double omega = 1;

  bool is_plain() const { return omega == 1; }
  /// (ω − 1)x, how far a potential goes beyond its step x, in units of ε; 0 where the dual would be
  /// the lower for it. A row of mass a adds a(ωx − e^((ω − 1)x) + e^(−x)) to the dual, over ε.
  double beyond(double x) const {
    if (is_plain()) return 0;
    double const y = (omega - 1) * x;
    // near 0 it is x²/2 (1 − (ω − 1)²), of which rounding leaves nothing
    if (std::abs(x) <= .01) return y;
    return omega * x - std::exp(y) + std::exp(-x) >= 0 ? y : 0;
  }
};

/// Finds ω while sweeps converge: plain ones at first; then, from the rate ρ at which ω's converge,
/// Young's (ρ + ω − 1)² = ρ ω² θ gives the plain ones' θ, and this ω = 2/(1 + √(1 − θ)). No dual
/// value falls whatever ω is; where errors grow all the same ω is lowered. Errors swing with
/// periods that grow with 1/(2 − ω), over some of which ρ is taken; an early θ is not trusted far.
class relaxation_control {
 public:
  over_relaxation const& now() const { return now_; }

  /// After a sweep with this error, `rate` times the one before. Whether ω has changed.
  bool take(double error, double rate) {
    ++since_;
    if (now_.is_plain()) return rate < 1 && set(std::min(most_at_first, best_omega(rate)));
    if (since_ == settling) begin_ = error;
    int const window = std::max(8, static_cast<int>(2 / (2 - now_.omega)));
    if (since_ < settling + window) return false;
    double const rho = std::pow(error / begin_, 1. / window);
    since_ = settling;
    begin_ = error;
    if (!(rho < 1)) return set(1 + .8 * (now_.omega - 1));
    rate_ = rho;
    double const sum = rho + now_.omega - 1;
    double const theta = sum * sum / (rho * now_.omega * now_.omega);
    double const next = theta < 1 ? best_omega(theta) : now_.omega;
    return rho > now_.omega - 1 && next > now_.omega + .002 && set(next);
  }

  /// Sweeps without progress that mean something: errors of relaxed ones swing on their way down.
  int patience() const { return std::max(20, static_cast<int>(10 / (2 - now_.omega))); }

  /// The rate that was seen last, or ω's own; of what is not relaxed `plain` would do.
  double rate() const { return std::max(rate_, now_.omega - 1); }

 private:
  static constexpr int settling = 5;  // sweeps that a new ω needs
  static constexpr double most_at_first = 1.8;

  static double best_omega(double theta) {
    return std::min(1.995, 2 / (1 + std::sqrt(std::max(0., 1 - theta))));
  }
  bool set(double omega) {
    now_.omega = omega;
    since_ = 0;
    return true;
  }

  over_relaxation now_;
  int since_ = 0;
  double begin_ = 0, rate_ = 0;
};

}  // namespace DIVOT_ABI
}  // namespace divot
