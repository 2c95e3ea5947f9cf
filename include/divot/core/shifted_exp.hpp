// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

namespace math {

/// e^((x − m)·c) for x ≤ m and a positive constant c, both settled once a row.
///
/// The workhorse of every softmax. In base 2, with c·log₂e and m·c·log₂e in two words: the error
/// does not grow with |x − m|, as it would if the difference or the product were rounded first.
/// No overflow is possible; exactly 0 where the result leaves the normal range (or, on AVX-512, the
/// subnormal one).
template <class V, class R>
class shifted_exp {
 public:
  using scalar = scalar_of<V>;

  /// c_low: what c was rounded by.
  shifted_exp(R const& m, R const& c, R const& c_low = R(0)) {
    if constexpr (lane_traits<V>::is_pack) {
      constexpr bool single = std::is_same_v<scalar, float>;
      constexpr double log2_e = 1.4426950408889634074, log2_e_low = 2.0355273740931033e-17;
      // c·log₂e = high + low
      R const factor = constant<R>(log2_e);
      double const rest =
          log2_e - static_cast<double>(static_cast<scalar_of<R>>(log2_e)) + log2_e_low;
      R const product = c * factor;
      R const product_low = lane_traits<R>::fms(c, factor, product) +
                            lane_traits<R>::fma(c_low, factor, R(c * constant<R>(rest)));
      narrow(product, product_low, high_, low_);
      // m·c·log₂e = grid + rest, the first on so coarse a grid that an integer adds to it exactly
      R const shift = m * product;
      R const shift_low = lane_traits<R>::fms(m, product, shift) + m * product_low;
      V shift_high, shift_rest;
      narrow(shift, shift_low, shift_high, shift_rest);
      V const grid = constant<V>(single ? 768. : 6144.);
      grid_ = (shift_high + grid) - grid;
      rest_ = (shift_high - grid_) + shift_rest;
      floor_ =
          math::select(high_ > V(0), V((grid_ - constant<V>(single ? 160. : 1100.)) / high_), V(0));
    } else {
      m_ = m;
      c_ = c;
    }
  }

  DIVOT_INLINE V operator()(V const& x) const {
    if constexpr (lane_traits<V>::is_pack) {
      V const y = math::max(floor_, x);
      V const n = lane_traits<V>::round(math::fms(y, high_, grid_));
      V const f = math::fms(y, high_, V(n + grid_)) + math::fms(y, low_, rest_);
      return lane_traits<V>::scale2_down(exp2_reduced(f), n);
    } else {
      // float rows are worked out in double
      return V(math::exp(R((R(x) - m_) * c_)));
    }
  }

 private:
  /// A row's two words as two lane words.
  static void narrow(R const& a, R const& b, V& high, V& low) {
    if constexpr (std::is_same_v<R, V>) {
      high = a + b;
      low = (a - high) + b;
    } else {
      high = V(static_cast<scalar>(a));
      low = V(static_cast<scalar>((a - static_cast<R>(static_cast<scalar>(a))) + b));
    }
  }

  V high_, low_, grid_, rest_, floor_;
  R m_, c_;
};

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
