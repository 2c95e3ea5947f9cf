// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/dual.hpp>
#include <divot/core/jet.hpp>
#include <divot/family/divergence/f_divergence.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// The generator of a user's f-divergence: its f, centred where it is smooth, with derivatives by
/// dual numbers and series. For double alone, since f is written for divot's own number types.
template <class F>
struct function_generator {
  double slope_at_one = is_smooth<F>() ? at(1).slope : 0;  ///< taken off, so that f'(1) = 0
  double at_zero = F::at_zero + slope_at_one;
  double slope_at_infinity = F::slope_at_infinity - slope_at_one;

  double f(double u) const { return at(u).value - slope_at_one * (u - 1); }
  double slope(double u) const { return at(u).slope - slope_at_one; }
  double curvature(double u) const {
    jet<3> x = jet<3>::variable();
    x.c[0] = u;
    return 2 * F::f(x).c[2];
  }

 private:
  static dual_number<double> at(double u) { return F::f(dual_number<double>(u, 1.)); }
};

template <class F>
function_generator<F> generator(f_divergence<F> const& d) {
  bound_of(d);  // refuses what is no generator, as a call does
  return {};
}

}  // namespace DIVOT_ABI
}  // namespace divot
