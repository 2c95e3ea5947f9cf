// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// A value and its derivative on lanes: how a user's f gets its slope.
///
/// Carries the arithmetic, abs, sqrt, exp, log, expm1, log1p and pow with a constant exponent;
/// all found by argument-dependent lookup, so an f written with unqualified calls works on it.
template <class V>
struct dual_number {
  V value, slope;

  dual_number() = default;
  DIVOT_HD dual_number(double constant)
      : value(divot::constant<V>(constant)), slope(V(0)) {}  // NOLINT
  DIVOT_HD dual_number(V const& v, V const& s) : value(v), slope(s) {}

  DIVOT_HD friend dual_number operator+(dual_number const& a, dual_number const& b) {
    return {V(a.value + b.value), V(a.slope + b.slope)};
  }
  DIVOT_HD friend dual_number operator-(dual_number const& a, dual_number const& b) {
    return {V(a.value - b.value), V(a.slope - b.slope)};
  }
  DIVOT_HD friend dual_number operator-(dual_number const& a) { return {V(-a.value), V(-a.slope)}; }
  DIVOT_HD friend dual_number operator+(dual_number const& a) { return a; }
  DIVOT_HD friend dual_number operator*(dual_number const& a, dual_number const& b) {
    return {V(a.value * b.value), V(a.slope * b.value + a.value * b.slope)};
  }
  DIVOT_HD friend dual_number operator/(dual_number const& a, dual_number const& b) {
    V const r = a.value / b.value;
    return {r, V((a.slope - r * b.slope) / b.value)};
  }
  DIVOT_HD dual_number& operator+=(dual_number const& b) { return *this = *this + b; }
  DIVOT_HD dual_number& operator-=(dual_number const& b) { return *this = *this - b; }
  DIVOT_HD dual_number& operator*=(dual_number const& b) { return *this = *this * b; }
  DIVOT_HD dual_number& operator/=(dual_number const& b) { return *this = *this / b; }

  DIVOT_HD friend dual_number exp(dual_number const& a) {
    V const e = math::exp(a.value);
    return {e, V(e * a.slope)};
  }
  DIVOT_HD friend dual_number expm1(dual_number const& a) {
    V const e = math::expm1(a.value);
    return {e, V((e + V(1)) * a.slope)};
  }
  DIVOT_HD friend dual_number log(dual_number const& a) {
    return {math::log(a.value), V(a.slope / a.value)};
  }
  DIVOT_HD friend dual_number log1p(dual_number const& a) {
    return {math::log1p(a.value), V(a.slope / (V(1) + a.value))};
  }
  DIVOT_HD friend dual_number sqrt(dual_number const& a) {
    V const r = math::sqrt(a.value);
    return {r, V(a.slope / (r + r))};
  }
  DIVOT_HD friend dual_number pow(dual_number const& a, double exponent) {
    V const e = math::exp(V(divot::constant<V>(exponent) * math::log(a.value)));
    return {e, V(divot::constant<V>(exponent) * e / a.value * a.slope)};
  }
  DIVOT_HD friend dual_number abs(dual_number const& a) {
    auto const negative = a.value < V(0);
    V const rising = math::select(a.value == V(0), V(0), a.slope);
    return {math::abs(a.value), math::select(negative, V(-rising), rising)};
  }
  DIVOT_HD friend dual_number max(dual_number const& a, dual_number const& b) {
    auto const second = a.value < b.value;
    return {math::select(second, b.value, a.value), math::select(second, b.slope, a.slope)};
  }
  DIVOT_HD friend dual_number min(dual_number const& a, dual_number const& b) {
    return -max(-a, -b);
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
