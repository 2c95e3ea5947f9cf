// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/power.hpp>

#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// h(D) of a row and h'(D).
template <class Row>
struct function_value {
  Row value, slope;
};

/// h(D) = D.
struct no_function {
  static constexpr bool is_identity = true;
};

/// h(D) = D^r; the slope at 0 is 0 for r ≠ 1, so that a row that has converged has no gradient.
class power_function {
 public:
  static constexpr bool is_identity = false;
  static constexpr bool has_order = false;

  power_function() = default;
  DIVOT_HD explicit power_function(double r) : r_(r) {}

  template <class Row>
  DIVOT_HD function_value<Row> at(Row const& d, Row const& /*mass*/) const {
    Row const value = math::power(d, r_);
    Row const slope = Row(constant<Row>(r_.wide) * (value / d));
    Row const at_infinity = r_.wide < 1 ? Row(0) : r_.wide == 1 ? Row(1) : infinity<Row>();
    Row const at_zero = constant<Row>(r_.wide == 1 ? 1 : 0);
    return {value, math::select(d == Row(0), at_zero,
                                math::select(d == infinity<Row>(), at_infinity, slope))};
  }

 private:
  exponent r_;
};

/// Functions of S = Σ p^a q^{1−a} = 1 + a(a − 1)D, D the α-divergence of order a:
///
///   R = scale·log(S)/(a(a − 1)),  h = (e^{(degree − 1)R} − 1)/(degree − 1)
///
/// which for scale a is the Rényi divergence (degree 1) and Sharma and Mittal's.
class order_function {
 public:
  static constexpr bool is_identity = false;
  static constexpr bool has_order = true;

  order_function() = default;
  DIVOT_HD order_function(double order, double scale, double degree)
      : order_(order), scale_(scale), degree_less_1_(degree - 1) {}

  DIVOT_HD double order() const { return order_; }
  /// Of D(q‖p): S = Σ q^a p^{1−a}.
  DIVOT_HD order_function reversed() const {
    order_function f = *this;
    f.is_reversed_ = !is_reversed_;
    return f;
  }
  DIVOT_HD bool is_reversed() const { return is_reversed_; }
  /// The exponent of p in S.
  DIVOT_HD double exponent_of_p() const { return is_reversed_ ? 1 - order_ : order_; }
  DIVOT_HD bool is_infinite() const { return order_ == std::numeric_limits<double>::infinity(); }

  /// Whether 1 + a(a − 1)D has lost digits, so that S must be added up.
  template <class Row>
  DIVOT_HD mask_of<Row> needs_mass(Row const& d) const {
    Row const y = Row(constant<Row>(order_ * (order_ - 1)) * d);
    return y < constant<Row>(-.75);
  }
  /// From D, and S where that is wanted.
  template <class Row>
  DIVOT_HD function_value<Row> at(Row const& d, Row const& mass) const {
    double const by = order_ * (order_ - 1);
    if (by == 0) {  // S = 1
      return of_degree(Row(constant<Row>(scale_) * d), constant<Row>(scale_));
    }
    Row const y = Row(constant<Row>(by) * d);
    auto const small = needs_mass(d);
    Row const safe = math::select(small, Row(0), y);
    Row const ratio =
        math::select(safe == Row(0), Row(1), Row(math::log1p(safe) / safe));  // log(1 + y)/y
    Row const log_mass = math::log(math::select(small, mass, Row(1)));
    Row const per_scale =
        math::select(small, Row(log_mass * constant<Row>(1 / by)), Row(d * ratio));
    Row const s = math::select(small, mass, Row(Row(1) + y));
    // of disjoint rows R is infinite, and nothing makes it less
    Row const slope = math::select(s > Row(0), Row(constant<Row>(scale_) / s), Row(0));
    return of_degree(Row(constant<Row>(scale_) * per_scale), slope);
  }
  /// h and h' of R itself, times the slope of R.
  template <class Row>
  DIVOT_HD function_value<Row> of_degree(Row const& r, Row const& slope) const {
    if (degree_less_1_ == 0) return {r, slope};
    Row const x = Row(constant<Row>(degree_less_1_) * r);
    return {Row(math::expm1(x) / constant<Row>(degree_less_1_)), Row(math::exp(x) * slope)};
  }
  DIVOT_HD double scale() const { return scale_; }

 private:
  double order_ = 1, scale_ = 1, degree_less_1_ = 0;
  bool is_reversed_ = false;
};

}  // namespace DIVOT_ABI
}  // namespace divot
