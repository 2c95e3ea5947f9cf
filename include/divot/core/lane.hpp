// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// What the mathematics needs to know of a lane type V: a scalar, or a pack of scalars.
///
/// The primary template serves every scalar, automatic differentiation types included (functions
/// are found by argument-dependent lookup). A team that works on packs specialises it; the members
/// here are the whole interface.
template <class V>
struct lane_traits {
  using scalar = V;
  using mask = bool;
  static constexpr std::size_t size = 1;
  static constexpr bool is_pack = false;
  /// Whether fma, fms and fnma round once.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__CUDA_ARCH__)
  static constexpr bool fused = std::is_floating_point_v<V>;
#else
  static constexpr bool fused = false;
#endif

  DIVOT_HD static V select(bool m, V const& a, V const& b) { return m ? a : b; }
  DIVOT_HD static bool opposite(bool m) { return !m; }
  DIVOT_HD static bool any(bool m) { return m; }
  DIVOT_HD static bool all(bool m) { return m; }
  DIVOT_HD static V fma(V const& a, V const& b, V const& c) {
    if constexpr (fused) {
      return std::fma(a, b, c);
    } else {
      return V(a * b + c);
    }
  }
  DIVOT_HD static V fms(V const& a, V const& b, V const& c) { return fma(a, b, V(-c)); }
  DIVOT_HD static V fnma(V const& a, V const& b, V const& c) { return fma(V(-a), b, c); }
  DIVOT_HD static V quotient(V const& a, V const& b) { return V(a / b); }
  DIVOT_HD static V abs(V const& x) { return x < V(0) ? V(-x) : x; }
  DIVOT_HD static V max(V const& a, V const& b) { return a < b ? b : a; }
  DIVOT_HD static V min(V const& a, V const& b) { return b < a ? b : a; }
  DIVOT_HD static V sqrt(V const& x) {
    using std::sqrt;
    return V(sqrt(x));
  }
};

/// True for float, double and long double; false for packs and automatic differentiation types.
template <class V>
inline constexpr bool is_real = std::is_floating_point_v<V>;

/// The scalar of a lane type.
template <class V>
using scalar_of = typename lane_traits<V>::scalar;

/// The comparison result of a lane type.
template <class V>
using mask_of = typename lane_traits<V>::mask;

/// Limits of the lane's scalar; automatic differentiation scalars count as double.
template <class V>
using limits_of =
    std::numeric_limits<std::conditional_t<is_real<scalar_of<V>>, scalar_of<V>, double>>;

/// A number of the arithmetic, spread over a lane type.
template <class V>
DIVOT_INLINE V constant(double x) {
  return V(static_cast<scalar_of<V>>(x));
}

template <class V>
DIVOT_INLINE V infinity() {
  return V(static_cast<scalar_of<V>>(limits_of<V>::infinity()));
}

/// The smallest positive normal number.
template <class V>
DIVOT_INLINE V smallest_normal() {
  return V(static_cast<scalar_of<V>>(limits_of<V>::min()));
}

/// A row-level value spread over the lanes that work on the row.
template <class V, class R>
DIVOT_INLINE V spread(R const& x) {
  if constexpr (std::is_same_v<V, R>) {
    return x;
  } else {
    return V(static_cast<scalar_of<V>>(x));
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
