// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>

#include <array>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// A number settled once a call, kept in both arithmetics: converting a double inside the innermost
/// loop would cost more than the multiplication it is for.
struct parameter {
  double wide = 0;
  float narrow = 0;

  parameter() = default;
  DIVOT_HD parameter(double x)
      : wide(x), narrow(static_cast<float>(x)) {}  // NOLINT: it is that number

  /// The number on lanes.
  template <class V>
  DIVOT_INLINE V on() const {
    if constexpr (std::is_same_v<scalar_of<V>, float>) {
      return V(narrow);
    } else {
      return constant<V>(wide);
    }
  }
};

/// Σ_{i<Terms} c_i xⁱ with coefficients settled once a call.
template <std::size_t Terms, class V, std::size_t N>
DIVOT_INLINE V series_sum(V const& x, std::array<parameter, N> const& c) {
  static_assert(Terms <= N);
  if constexpr (Terms % 2 == 0) {
    V const square = x * x;
    V y = math::fma(x, c[Terms - 1].template on<V>(), c[Terms - 2].template on<V>());
    for (std::size_t i = Terms - 2; i > 0; i -= 2) {
      y = math::fma(y, square, math::fma(x, c[i - 1].template on<V>(), c[i - 2].template on<V>()));
    }
    return y;
  }
  V y = c[Terms - 1].template on<V>();
  for (std::size_t i = Terms - 1; i-- > 0;) y = math::fma(y, x, c[i].template on<V>());
  return y;
}

}  // namespace DIVOT_ABI
}  // namespace divot
