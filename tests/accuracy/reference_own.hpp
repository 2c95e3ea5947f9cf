// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Divergences whose class has a form of its own in tests/entries, or their reverses.

#include <accuracy/quad.hpp>
#include <accuracy/reference_form.hpp>

#include <optional>

namespace reference {

inline std::optional<kink> kink_of(divergence const& d) {
  if (d.what == form::total_variation) return kink{};
  if (!d.is_own()) return std::nullopt;
  auto at = d.own->kink_at(d.a);
  if (at && d.exchanged) at->at = -at->at;
  return at;
}

/// f(0); f'(∞) is that of the reverse.
inline quad own_at_zero(divergence const& d) {
  return d.exchanged ? d.own->slope_at_infinity(d.a) : d.own->at_zero(d.a);
}
inline quad own_at_infinity(divergence const& d) {
  return d.exchanged ? d.own->at_zero(d.a) : d.own->slope_at_infinity(d.a);
}

/// ∂d/∂q of a class with q > 0: 0 at p = q or, where `far`, less f(0), which is 0 as p/q → 0. Total
/// variation's is here for those who ask for slopes beside a kink.
inline quad own_slope(divergence const& d, quad ell, bool far) {
  if (d.what == form::total_variation) return -quad(sign(ell)) / 2;
  return d.exchanged ? d.own->reversed_slope(ell, d.a, far) : d.own->slope(ell, d.a, far);
}

/// The limit of q·omega as q → 0 at a fixed p > 0.
inline quad own_without_student(divergence const& d, quad p) {
  return d.exchanged ? d.own->reversed_without_student(p, d.a) : d.own->without_student(p, d.a);
}

}  // namespace reference
