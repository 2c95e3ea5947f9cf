// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <array>
#include <cstddef>

namespace divot {
inline namespace DIVOT_ABI {

/// A power series for |x| ≤ radius as a polynomial of so many terms: each order in excess is spread
/// over the lower ones by its Chebyshev polynomial, which leaves c_n radiusⁿ/2ⁿ⁻¹ at most.
/// Ref  Lanczos (1956), Applied Analysis, ch. VII
template <std::size_t N>
DIVOT_HD std::array<double, N> economised(std::array<double, N> c, double radius,
                                          std::size_t terms) {
  for (std::size_t n = N - 1; n >= terms; --n) {
    // of T_n(x/radius), the coefficients relative to the leading one
    double t = 1;
    for (std::size_t k = n; k >= 2; k -= 2) {
      double const i = static_cast<double>(k), m = static_cast<double>(n);
      t *= -i * (i - 1) / ((m - i + 2) * (m + i - 2)) * radius * radius;
      c[k - 2] -= c[n] * t;
    }
    c[n] = 0;
  }
  return c;
}

}  // namespace DIVOT_ABI
}  // namespace divot
