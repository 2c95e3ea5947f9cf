// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/economised.hpp>
#include <divot/core/parameter.hpp>
#include <divot/core/probability_power.hpp>
#include <divot/family/class_point.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

template <class V, class R>
class alpha_beta_row;

/// The α-β divergence (`alpha_beta`), as far as it does not depend on a row.
class bound_alpha_beta {
 public:
  static constexpr bool needs_logs = false;
  static constexpr bool needs_powers = true;
  static constexpr bool needs_relative = true;

  DIVOT_HD bound_alpha_beta(double a, double b) : alpha_(a), beta_(b), lambda_(a + b) {
    auto const less_1 = exact_difference(a, 1.);
    lambda_less_1_ = (less_1.high + b) + less_1.low;
    double const largest = std::max({std::abs(a), std::abs(lambda_), 1e-310});
    unit_ = std::abs(lambda_ - 1) <= 4e-16;
    slope_ = a;
    per_slope_ = reciprocal(a);
    largest_ = largest;
    // the nodes 0, α, λ in ascending order, and where they have gone
    std::array<double, 3> const role{0, a, lambda_};
    for (std::size_t const i : {0, 1, 0}) {
      if (role[node_[i + 1]] < role[node_[i]]) std::swap(node_[i], node_[i + 1]);
    }
    lower_gap_ = role[node_[1]] - role[node_[0]];
    upper_gap_ = role[node_[2]] - role[node_[1]];
    double const span = role[node_[2]] - role[node_[0]];
    lower_slope_ = reciprocal(lower_gap_.wide);
    upper_slope_ = reciprocal(upper_gap_.wide);
    span_slope_ = reciprocal(span);
    separated_ = std::min(lower_gap_.wide, upper_gap_.wide) >= 0.18 * largest && largest > 1e-3 &&
                 largest < 1e3;  // powers of it are no trouble
    near_square_ = square(near_bound / largest);
    near_slope_square_ = square(near_bound / a);
    if (separated_) {
      share_[node_[0]] = 1 / (lower_gap_.wide * span);
      share_[node_[1]] = -1 / (lower_gap_.wide * upper_gap_.wide);
      share_[node_[2]] = 1 / (upper_gap_.wide * span);
    }
    set_series(a / largest, lambda_ / largest);
  }

  DIVOT_HD bool needs_exact_offset() const { return !unit_; }
  DIVOT_HD power_reach reach() const {
    return {std::max({std::abs(alpha_), std::abs(beta_), std::abs(lambda_)}),
            -std::min({alpha_, lambda_, 0.}), -std::min({beta_, lambda_, 0.})};
  }
  DIVOT_HD class_limits limits() const {
    double const a = alpha_, b = beta_, l = lambda_;
    class_limits end{};
    end.loss_p0 = a > 0 && l > 0 ? finite(1 / a / l) : unbounded;
    end.loss_q0 = b > 0 && l > 0 ? finite(1 / b / l) : unbounded;
    end.w_p0 = a > 0 ? finite(1 / a) : unbounded;  // unless the row has a gauge
    // −(p^α q^β − q^λ)/α as q → 0
    if (a > 0) {
      end.w_q0 = b > 0 ? 0 : b == 0 ? finite(-1 / a) : -unbounded;
    } else if (a == 0) {
      end.w_q0 = b > 0 ? 0 : -unbounded;
    } else {
      end.w_q0 = l > 0 ? 0 : l == 0 ? finite(1 / a) : -unbounded;
    }
    // −(p^α q^{β−1} − q^{λ−1})/α as q → 0
    if (a > 0) {
      end.omega_q0 = b < 1 ? -unbounded : b == 1 ? finite(-1 / a) : 0;
      end.omega_power = b == 1 ? a : 0;
    } else if (a == 0) {
      end.omega_q0 = b > 1 ? 0 : -unbounded;
    } else {
      end.omega_q0 = l < 1 ? -unbounded : l == 1 ? finite(1 / a) : 0;
    }
    return end;
  }
  DIVOT_HD bound_alpha_beta dual() const {
    bound_alpha_beta other(beta_, alpha_);
    other.is_reversed_ = !is_reversed_;
    return other;
  }
  /// α and β stand for each other's: derivatives in them change places.
  DIVOT_HD bool is_reversed() const { return is_reversed_; }

  DIVOT_HD double alpha() const { return alpha_; }
  DIVOT_HD double beta() const { return beta_; }

  /// The divergence on a row of these probabilities.
  template <class V, class R>
  DIVOT_HD alpha_beta_row<V, R> on_row(math::row_probability<R> const& p,
                                       math::row_probability<R> const& q,
                                       two_words<R> const& anchor) const {
    return {*this, p, q, anchor};
  }

 private:
  template <class, class>
  friend class alpha_beta_row;

  // terms of the series in float and in double; where no two nodes are close it ends earlier
  static constexpr std::size_t order = 24, short_float = 6, short_double = 13, long_float = 8,
                               long_double = 16;

  DIVOT_HD static double square(double x) { return x * x; }
  /// A coefficient that is large and not a limit's infinity, for parameters next to 0.
  DIVOT_HD static double finite(double x) {
    double const most = std::numeric_limits<double>::max();
    return std::clamp(x, -most, most);
  }
  /// 1/x, or 0 where x is so small that the quotient is never taken.
  DIVOT_HD static double reciprocal(double x) { return std::abs(x) < 1e-30 ? 0 : 1 / x; }

  /// exp[0, x ell, y ell] = Σ c_n ellⁿ, c_n = h_n(x, y)/(n+2)!, h_n the complete homogeneous
  /// polynomial, for |x|, |y| ≤ 1.
  DIVOT_HD void set_series(double x, double y) {
    std::array<double, order> c{};
    double h = 1, power = 1, factorial = 2;
    for (std::size_t n = 0; n < order; ++n) {
      c[n] = h / factorial;
      factorial *= double(n + 3);
      power *= x;
      h = y * h + power;
    }
    double const radius = separated_ ? near_bound : 1;
    auto const wide = economised(c, radius, separated_ ? short_double : long_double);
    auto const narrow = economised(c, radius, separated_ ? short_float : long_float);
    double unit = 1;
    for (std::size_t n = 0; n < long_double; ++n) {
      series_[n] = unit * wide[n];
      series_[n].narrow = static_cast<float>(unit * narrow[n]);
      if (separated_) unit *= largest_.wide;
    }
  }

  double alpha_, beta_, lambda_, lambda_less_1_;
  bool is_reversed_ = false;
  parameter slope_, per_slope_;  // α and 1/α
  parameter largest_;            // m = max(|α|, |λ|)
  parameter lower_gap_, upper_gap_, lower_slope_, upper_slope_, span_slope_;
  // below these ell² is near: |m ell| (where separated) and |α ell|
  parameter near_square_, near_slope_square_;
  std::array<parameter, long_double> series_{};  // of ell; of m ell where nodes are close
  std::array<std::size_t, 3> node_{0, 1, 2};     // of 0, α, λ, in ascending order
  std::array<parameter, 3> share_{};             // of their powers in the loss, where separated
  bool unit_ = false;                            // λ = 1
  bool separated_ = false;  // no two nodes so close that their difference cancels where it is used
};

}  // namespace DIVOT_ABI
}  // namespace divot
