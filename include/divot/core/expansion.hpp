// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/dual.hpp>

#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// A function of u > 0 with what it does at u = 0 split off:
///
///   value = u^−order·(at_zero + linear·u + rest)
///
/// For order 0, value − at_zero and value − u·slope − at_zero keep their digits however small u is,
/// where subtracting from the value itself would lose them. `rest` carries its derivative in u.
///
/// Any split of a value is a right one, so where a function has no such expansion (log u, √u) all
/// of it goes to the rest. The functions are those of `dual_number`.
template <class V>
class expansion_at_zero {
 public:
  using dual = dual_number<V>;

  DIVOT_HD expansion_at_zero(double constant)
      : at_zero_(constant), u_(V(0)), rest_(0.) {}  // NOLINT
  /// u itself, or 1/u.
  DIVOT_HD static expansion_at_zero variable(V const& u) { return {-1, 1, 0, u, dual(0.)}; }
  DIVOT_HD static expansion_at_zero reciprocal(V const& u) { return {1, 1, 0, u, dual(0.)}; }

  /// The same number split with order 0, which the following are about.
  DIVOT_HD expansion_at_zero settled() const { return to_order(0, u_); }
  DIVOT_HD V value(V const& u) const { return unscaled(u).value; }
  DIVOT_HD V slope() const { return V(constant<V>(linear_) + rest_.slope); }
  /// value − u·slope − limit; exact however small u is when limit is that for u → 0.
  DIVOT_HD V excess(double limit) const {
    double const gap = at_zero_ - limit;
    bool const split = std::abs(gap) <= 1e-9 * (1 + std::abs(limit));
    return V((rest_.value - u_ * rest_.slope) + constant<V>(split ? 0 : gap));
  }

  DIVOT_HD friend expansion_at_zero operator+(expansion_at_zero const& a,
                                              expansion_at_zero const& b) {
    if (a.order_ < b.order_) return b + a;
    if (b.order_ < a.order_) return a + b.to_order(a.order_, joint(a, b));
    return {a.order_, a.at_zero_ + b.at_zero_, a.linear_ + b.linear_, joint(a, b),
            a.rest_ + b.rest_};
  }
  DIVOT_HD friend expansion_at_zero operator-(expansion_at_zero const& a) {
    return {a.order_, -a.at_zero_, -a.linear_, a.u_, -a.rest_};
  }
  DIVOT_HD friend expansion_at_zero operator+(expansion_at_zero const& a) { return a; }
  DIVOT_HD friend expansion_at_zero operator-(expansion_at_zero const& a,
                                              expansion_at_zero const& b) {
    return a + -b;
  }
  DIVOT_HD friend expansion_at_zero operator*(expansion_at_zero const& a,
                                              expansion_at_zero const& b) {
    V const u = joint(a, b);
    double const quadratic = a.linear_ * b.linear_;
    dual rest = a.rest_ * b.unscaled(u) + b.rest_ * a.polynomial(u);
    if (quadratic != 0) rest += dual(quadratic) * square(u);
    return {a.order_ + b.order_, a.at_zero_ * b.at_zero_,
            a.at_zero_ * b.linear_ + a.linear_ * b.at_zero_, u, rest};
  }
  DIVOT_HD friend expansion_at_zero operator/(expansion_at_zero const& a,
                                              expansion_at_zero const& given) {
    expansion_at_zero const b = given.normalised();
    V const u = joint(a, b);
    dual const divisor = b.unscaled(u);
    int const order = a.order_ - b.order_;
    if (b.at_zero_ == 0) return {order, 0, 0, u, a.unscaled(u) / divisor};
    double const c = a.at_zero_ / b.at_zero_;
    double const d = (a.linear_ - c * b.linear_) / b.at_zero_;
    dual const first = dual(c) + dual(d) * dual(u, V(1));
    dual rest = a.rest_ - first * b.rest_;
    if (d * b.linear_ != 0) rest -= dual(d * b.linear_) * square(u);
    return {order, c, d, u, rest / divisor};
  }
  DIVOT_HD expansion_at_zero& operator+=(expansion_at_zero const& b) { return *this = *this + b; }
  DIVOT_HD expansion_at_zero& operator-=(expansion_at_zero const& b) { return *this = *this - b; }
  DIVOT_HD expansion_at_zero& operator*=(expansion_at_zero const& b) { return *this = *this * b; }
  DIVOT_HD expansion_at_zero& operator/=(expansion_at_zero const& b) { return *this = *this / b; }

  DIVOT_HD friend expansion_at_zero exp(expansion_at_zero const& x) {
    if (x.order_ > 0) return plain(x.u_, exp(x.total()));
    expansion_at_zero const a = x.settled();
    dual const z = a.beyond();
    // e^z − 1 − z
    V const tail =
        z.value * z.value * math::expm1_tail(math::select(small(z.value), z.value, V(0)));
    V const change = math::expm1(z.value);
    V const excess = math::select(small(z.value), tail, V(change - z.value));
    double const e = std::exp(a.at_zero_);
    return {0, e, e * a.linear_, a.u_, dual(e) * (dual(excess, V(change * z.slope)) + a.rest_)};
  }
  DIVOT_HD friend expansion_at_zero expm1(expansion_at_zero const& x) { return exp(x) - 1.; }
  DIVOT_HD friend expansion_at_zero log(expansion_at_zero const& given) {
    expansion_at_zero const x = given.normalised();
    if (!(x.at_zero_ > 0)) return plain(x.u_, log(given.total()));
    double const a = x.at_zero_, b = x.linear_ / a;
    dual rest = x.relative_log_tail() + x.rest_ * dual(1 / a);
    if (x.order_ != 0) rest -= dual(x.order_) * log(dual(x.u_, V(1)));
    return {0, std::log(a), b, x.u_, rest};
  }
  DIVOT_HD friend expansion_at_zero log1p(expansion_at_zero const& x) { return log(x + 1.); }
  DIVOT_HD friend expansion_at_zero sqrt(expansion_at_zero const& x) { return pow(x, .5); }
  DIVOT_HD friend expansion_at_zero pow(expansion_at_zero const& given, double exponent) {
    expansion_at_zero const x = given.normalised();
    double const order = x.order_ * exponent;
    if (!(x.at_zero_ > 0) || order != std::round(order) || std::abs(order) > 1e6) {
      return plain(x.u_, pow(given.total(), exponent));
    }
    // a^c (1 + z)^c, (1 + z)^c − 1 − cz = c(log1p z − z) + e^y − 1 − y, y = c log1p z
    double const a = std::pow(x.at_zero_, exponent), b = x.linear_ / x.at_zero_;
    dual const z = x.beyond() * dual(1 / x.at_zero_);
    dual const tail = x.relative_log_tail();
    dual const y = dual(exponent) * (z + tail);
    V const change = math::expm1(y.value);
    V const near =
        y.value * y.value * math::expm1_tail(math::select(small(y.value), y.value, V(0)));
    V const excess = math::select(small(y.value), near, V(change - y.value));
    dual const rest = dual(exponent) * (tail + x.rest_ * dual(1 / x.at_zero_)) +
                      dual(excess, V(change * y.slope));
    return {static_cast<int>(order), a, a * exponent * b, x.u_, dual(a) * rest};
  }
  DIVOT_HD friend expansion_at_zero abs(expansion_at_zero const& x) {
    // the sign near 0 goes through; lanes that have the other one say so in their rest
    double const leading = x.at_zero_ != 0 ? x.at_zero_ : x.linear_;
    expansion_at_zero const a = leading < 0 ? -x : x;
    dual const v = a.unscaled(a.u_);
    dual const turned = abs(v) - a.polynomial(a.u_);
    auto const kept = v.value > V(0);
    return {a.order_, a.at_zero_, a.linear_, a.u_,
            dual(math::select(kept, a.rest_.value, turned.value),
                 math::select(kept, a.rest_.slope, turned.slope))};
  }
  DIVOT_HD friend expansion_at_zero max(expansion_at_zero const& a, expansion_at_zero const& b) {
    return (a + b + abs(a - b)) * .5;
  }
  DIVOT_HD friend expansion_at_zero min(expansion_at_zero const& a, expansion_at_zero const& b) {
    return -max(-a, -b);
  }

 private:
  DIVOT_HD expansion_at_zero(int order, double at_zero, double linear, V const& u, dual const& rest)
      : order_(order), at_zero_(at_zero), linear_(linear), u_(u), rest_(rest) {}

  DIVOT_HD static expansion_at_zero plain(V const& u, dual const& value) {
    return {0, 0, 0, u, value};
  }
  /// Constants know no u: theirs is 0.
  DIVOT_HD static V joint(expansion_at_zero const& a, expansion_at_zero const& b) {
    return math::max(a.u_, b.u_);
  }
  DIVOT_HD static auto small(V const& x) { return math::abs(x) < constant<V>(.5); }
  DIVOT_HD static dual square(V const& u) { return {V(u * u), V(u + u)}; }
  DIVOT_HD static dual power(V const& u, int n) {
    dual const x(u, V(1));
    dual p(1.);
    for (int i = 0; i < (n < 0 ? -n : n); ++i) p *= x;
    return n < 0 ? dual(1.) / p : p;
  }

  DIVOT_HD dual polynomial(V const& u) const {
    return {V(constant<V>(at_zero_) + constant<V>(linear_) * u), constant<V>(linear_)};
  }
  /// at_zero + linear·u + rest
  DIVOT_HD dual unscaled(V const& u) const { return polynomial(u) + rest_; }
  /// linear·u + rest
  DIVOT_HD dual beyond() const {
    return {V(constant<V>(linear_) * u_ + rest_.value), V(constant<V>(linear_) + rest_.slope)};
  }
  DIVOT_HD dual total() const {
    return order_ == 0 ? unscaled(u_) : unscaled(u_) * power(u_, -order_);
  }

  /// The same number with another order: terms below u go where they belong.
  DIVOT_HD expansion_at_zero to_order(int order, V const& u) const {
    int const up = order - order_;
    if (up == 0) return *this;
    if (up == 1) {
      return {order, 0, at_zero_, u, dual(linear_) * square(u) + rest_ * dual(u, V(1))};
    }
    return {order, 0, 0, u, unscaled(u) * power(u, up)};
  }
  /// With a coefficient of u^−order that is not 0, as far as one is known.
  DIVOT_HD expansion_at_zero normalised() const {
    if (at_zero_ != 0 || linear_ == 0) return *this;
    return {order_ - 1, linear_, 0, u_, rest_ / dual(u_, V(1))};
  }
  /// log1p(z) − z for z = (linear·u + rest)/at_zero.
  DIVOT_HD dual relative_log_tail() const {
    dual const z = beyond() * dual(1 / at_zero_);
    auto const near = math::abs(z.value) < constant<V>(.29);
    V const safe = math::select(near, z.value, V(0));
    V const s = safe / (V(2) + safe);
    V const series = math::atanh2_tail(s) - safe * s;
    V const value = math::select(near, series, V(math::log1p(z.value) - z.value));
    return {value, V(-z.value / (V(1) + z.value) * z.slope)};
  }

  int order_ = 0;
  double at_zero_ = 0, linear_ = 0;
  V u_;
  dual rest_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
