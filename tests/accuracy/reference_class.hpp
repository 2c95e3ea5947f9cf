// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What an f-divergence with a test file of its own (tests/entries) tells the reference.

#include <accuracy/quad.hpp>
#include <accuracy/row_pair.hpp>

#include <cstddef>
#include <optional>

namespace reference {

/// Where the slope of a class jumps (or, with `step` false, has an infinite derivative), as
/// ln(p/q).
struct kink {
  quad at = 0;
  bool step = true;
};

/// D(p‖q) = Σ q f(p/q) with a parameter a, class by class, to the last digits: nothing here may be
/// a difference of nearly equal numbers. ell = ln(p/q).
class class_form {
 public:
  virtual ~class_form() = default;

  /// The textbook's f(u) with f(1) = 0; checks what follows, so it stands here as it is published.
  virtual quad f(quad u, quad a) const = 0;
  virtual quad at_zero(quad a) const = 0;            ///< f(0)
  virtual quad slope_at_infinity(quad a) const = 0;  ///< lim f(u)/u
  /// q f(p/q) with p, q > 0.
  virtual quad loss(row_pair const& row, std::size_t k, quad a) const = 0;
  /// f − u f' at u = e^ell: 0 at u = 1 or, where `far`, less f(0), which is 0 at u = 0.
  virtual quad slope(quad ell, quad a, bool far) const = 0;

  /// Whether D(q‖p) is another divergence. Then also its slope f'(e^−ell), which is 0 at u = 1 or,
  /// where `far`, as u → 0.
  virtual bool has_reverse() const { return false; }
  virtual quad reversed_slope(quad /*ell*/, quad /*a*/, bool /*far*/) const { return nan(); }

  /// The limits of q times the slopes as q → 0 at a fixed p.
  virtual quad without_student(quad /*p*/, quad /*a*/) const { return 0; }
  virtual quad reversed_without_student(quad /*p*/, quad /*a*/) const { return 0; }

  virtual std::optional<kink> kink_at(quad /*a*/) const { return std::nullopt; }
  /// |y ln x| of the largest power x^y in a row.
  virtual double largest_exponent(row_pair const& /*row*/, quad /*a*/) const { return 0; }
  /// What the terms that a row's differences of rounded numbers subtract are, relative to the loss.
  virtual double cancellation(row_pair const& /*row*/, quad /*a*/) const { return 1; }
};

/// log1p(x) − x.
inline quad log1p_beyond_first(quad x) {
  if (abs(x) > 0.0625) return log1p(x) - x;
  quad sum = 0;  // −x²/2 + x³/3 − …
  for (int n = 30; n >= 2; --n) sum = -x * sum - quad(1) / n;
  return sum * x * x;
}

/// ln cosh(x).
inline quad log_cosh(quad x) {
  x = abs(x);
  if (is_infinite(x)) return infinity;
  if (x > 1) return x - log(quad(2)) + log1p(exp(-2 * x));
  quad const e = expm1(x / 2), twice_sinh = e + e / (1 + e);
  return log1p(twice_sinh * twice_sinh / 2);
}

/// x^y with 0^y its limit, from ln x.
inline quad power(quad log_x, quad y) {
  if (y == 0) return 1;
  if (!is_infinite(log_x)) return exp(y * log_x);
  return y > 0 ? quad(0) : infinity;
}

/// x^y for x ≥ 0; 0^0 = 1.
inline quad raised(quad x, quad y) { return power(x == 0 ? -infinity : log(x), y); }

inline int sign(quad x) { return (x > 0) - (x < 0); }

}  // namespace reference
