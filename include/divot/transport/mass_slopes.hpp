// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

// How a transport problem's value changes with the masses of one side, whose penalty is ρ. Vector:
// of Eigen's, a parameter so that including this alone compiles nothing of it.

/// Of ⟨P, C⟩ from κ (or μ), what the equations that P solves give; sums: the plan's.
template <class Vector>
Vector implicit_mass_slopes(double epsilon, Vector const& kappa, Vector const& masses,
                            Vector const& sums, double penalty) {
  if (std::isinf(penalty)) return kappa;
  return kappa.array() * sums.array() / masses.array() * (1 + epsilon / penalty);
}

/// Of the entropic value at its best plan, from the potentials f̃.
template <class Vector>
Vector envelope_mass_slopes(double epsilon, Vector const& potentials, double penalty,
                            double other_mass) {
  double const constant = epsilon * (other_mass - 1);
  if (std::isinf(penalty)) return potentials.array() + constant;
  Vector out = -potentials / penalty;
  for (double& x : out) x = constant - (penalty + epsilon) * std::expm1(x);
  return out;
}

/// Of the entropic value while P stays.
template <class Vector>
Vector detached_mass_slopes(double epsilon, Vector const& sums, Vector const& masses,
                            double penalty, double other_mass) {
  Vector out = sums.cwiseQuotient(masses);
  for (double& x : out) {
    x = epsilon * (other_mass - x) + (std::isinf(penalty) ? 0 : penalty * (1 - x));
  }
  return out;
}

}  // namespace DIVOT_ABI
}  // namespace divot
