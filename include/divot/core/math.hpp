// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/lane.hpp>

#include <array>

/// Elementary functions on lanes: a float, a double, any other scalar, or a pack of them.
///
/// Always called qualified (`math::exp`), so that no other library's function is found by
/// argument-dependent lookup. On float, double and long double they are the standard library's; on
/// packs they are the polynomials below. The errors are listed in tests/accuracy/budget.hpp.
namespace divot {
inline namespace DIVOT_ABI {
namespace math {

template <class V>
DIVOT_INLINE V select(mask_of<V> const& m, V const& a, V const& b) {
  return lane_traits<V>::select(m, a, b);
}
template <class V>
DIVOT_INLINE V fma(V const& a, V const& b, V const& c) {
  return lane_traits<V>::fma(a, b, c);
}
/// a·b − c
template <class V>
DIVOT_INLINE V fms(V const& a, V const& b, V const& c) {
  return lane_traits<V>::fms(a, b, c);
}
/// c − a·b
template <class V>
DIVOT_INLINE V fnma(V const& a, V const& b, V const& c) {
  return lane_traits<V>::fnma(a, b, c);
}
/// a/b to 1 ulp or so, for normal positive b below 2^125 (fp32) or 2^1020 (fp64) and |a/b| in
/// range: where the hardware's division is slow, from its reciprocal estimate.
template <class V>
DIVOT_INLINE V quotient(V const& a, V const& b) {
  return lane_traits<V>::quotient(a, b);
}
template <class V>
DIVOT_INLINE V abs(V const& x) {
  return lane_traits<V>::abs(x);
}
template <class V>
DIVOT_INLINE V max(V const& a, V const& b) {
  return lane_traits<V>::max(a, b);
}
template <class V>
DIVOT_INLINE V min(V const& a, V const& b) {
  return lane_traits<V>::min(a, b);
}
template <class V>
DIVOT_INLINE V sqrt(V const& x) {
  return lane_traits<V>::sqrt(x);
}
template <class V>
DIVOT_INLINE bool any(mask_of<V> const& m) {
  return lane_traits<V>::any(m);
}
template <class V>
DIVOT_INLINE bool all(mask_of<V> const& m) {
  return lane_traits<V>::all(m);
}

/// Horner's rule, coefficients in ascending order.
template <class V, std::size_t N>
DIVOT_INLINE V polynomial(V const& x, std::array<double, N> const& c) {
  V y = constant<V>(c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) y = fma(y, x, constant<V>(c[i]));
  return y;
}

namespace coefficients {
// Chebyshev interpolants in 50-digit arithmetic; the relative error stands behind each.
inline constexpr std::array<double, 6> exp2m1_float{// (2^x − 1)/x on [−½, ½], 1.2e-8
                                                    0.69314718802622878,   0.24022650760568127,
                                                    0.055503571142190778,  0.0096180825572778515,
                                                    0.0013390863364671234, 0.00015453162945120690};
inline constexpr std::array<double, 12> exp2m1_double{
    // the same, 2.7e-19
    0.69314718055994530925,     0.24022650695910071233,   0.055504108664821627039,
    0.0096181291076284794928,   0.0013333558146406470697, 0.00015403530393370733411,
    0.000015252733841556772589, 1.321548680870556279e-6,  1.0178057087733941105e-7,
    7.0548973041554992774e-9,   4.455817908336064493e-10, 2.5729324177362304214e-11};
inline constexpr std::array<double, 7> expm1_float{// (e^x − 1 − x)/x² on [−½, ½], 7.6e-10
                                                   0.5,
                                                   0.16666667139493801194,
                                                   0.041666667139180544342,
                                                   0.0083331820715841955916,
                                                   0.001388873772021196061,
                                                   0.00019962176226695498036,
                                                   0.000024922436429342271031};
inline constexpr std::array<double, 13> expm1_double{// the same, 5.2e-20
                                                     0.5,
                                                     0.16666666666666666607,
                                                     0.04166666666666666663,
                                                     0.0083333333333333998951,
                                                     0.0013888888888888930476,
                                                     0.00019841269841056861068,
                                                     0.00002480158730145423143,
                                                     2.7557319516028308707e-6,
                                                     2.7557319406457270379e-7,
                                                     2.5051913745634797393e-8,
                                                     2.0876635370907814983e-9,
                                                     1.6121291390767836982e-10,
                                                     1.1509642370665760848e-11};
inline constexpr std::array<double, 4> atanh_float{
    // (2 atanh(z)/z − 2)/z² in z² ≤ .056, 2.3e-8
    0.66666665128058346243, 0.40000877914431331343, 0.28493670104555218063, 0.24399268084683188317};
inline constexpr std::array<double, 10> atanh_double{
    // the same, 1e-19
    0.6666666666666666666,  0.40000000000000023361, 0.28571428571414822945, 0.22222222225357035987,
    0.18181817819368013874, 0.15384639406952404182, 0.13332366965153940188, 0.1178864484892303942,
    0.10171490757147483804, 0.12364061380977581};
}  // namespace coefficients

/// (e^x − 1 − x)/x² for |x| ≤ ½. Relative error 1 eps (fp32 and fp64).
template <class V>
DIVOT_INLINE V expm1_tail(V const& x) {
  if constexpr (std::is_same_v<scalar_of<V>, float>) {
    return polynomial(x, coefficients::expm1_float);
  } else if constexpr (std::is_same_v<scalar_of<V>, long double>) {
    V y = V(1) / V(51090942171709440000.0L);  // 1/21!
    long double factorial = 51090942171709440000.0L;
    for (int n = 20; n >= 2; --n) {
      factorial /= (n + 1);
      y = y * x + V(1) / V(factorial);
    }
    return y;
  } else {
    return polynomial(x, coefficients::expm1_double);
  }
}

/// 2·atanh(z) − 2z for |z| ≤ .236, relatively accurate.
template <class V>
DIVOT_INLINE V atanh2_tail(V const& z) {
  V const w = z * z;
  if constexpr (std::is_same_v<scalar_of<V>, float>) {
    return V(V(z * w) * polynomial(w, coefficients::atanh_float));
  } else {
    return V(V(z * w) * polynomial(w, coefficients::atanh_double));
  }
}

/// 2·atanh(z) for |z| ≤ .236, that is log((1+z)/(1−z)).
template <class V>
DIVOT_INLINE V atanh2(V const& z) {
  return V(V(z + z) + atanh2_tail(z));
}

/// 2^f for |f| ≤ ½.
template <class V>
DIVOT_INLINE V exp2_reduced(V const& f) {
  if constexpr (std::is_same_v<scalar_of<V>, float>) {
    return fma(f, polynomial(f, coefficients::exp2m1_float), V(1));
  } else {
    return fma(f, polynomial(f, coefficients::exp2m1_double), V(1));
  }
}

/// e^x over the whole range: 0 where the result underflows, +inf where it overflows.
///
/// Error  tests/accuracy/budget.hpp   Range  every finite x, ±inf
template <class V>
DIVOT_INLINE V exp(V const& x) {
  if constexpr (lane_traits<V>::is_pack) {
    using T = scalar_of<V>;
    constexpr bool single = std::is_same_v<T, float>;
    // beyond these the scaling by 2^n yields 0 or inf
    V const y = math::max(constant<V>(single ? -105. : -747.),
                          math::min(constant<V>(single ? 89.5 : 710.5), x));
    V const n = lane_traits<V>::round(y * constant<V>(1.4426950408889634074));
    V f = math::fma(n, constant<V>(single ? -0.693145751953125 : -0.69314718036912381649), y);
    f = math::fma(n, constant<V>(single ? -1.428606820309417e-6 : -1.9082149292705877e-10), f);
    V const g = f * constant<V>(1.4426950408889634074);
    return lane_traits<V>::scale2(exp2_reduced(g), n);
  } else {
    using std::exp;
    return V(exp(x));
  }
}

/// 2^x over the whole range of finite x, as exp.
template <class V>
DIVOT_INLINE V exp2(V const& x) {
  if constexpr (lane_traits<V>::is_pack) {
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    V const y = math::max(constant<V>(single ? -152. : -1078.),
                          math::min(constant<V>(single ? 130. : 1026.), x));
    V const n = lane_traits<V>::round(y);
    return lane_traits<V>::scale2(exp2_reduced(V(y - n)), n);
  } else if constexpr (is_real<V>) {
    return std::exp2(x);
  } else {
    using std::exp;
    return V(exp(x * V(0.69314718055994530942)));
  }
}

/// e^x − 1, relatively accurate at every x.
template <class V>
DIVOT_INLINE V expm1(V const& x) {
  if constexpr (lane_traits<V>::is_pack) {
    return math::select(math::abs(x) < constant<V>(.5), math::fma(x * x, expm1_tail(x), x),
                        math::exp(x) - V(1));
  } else if constexpr (is_real<V>) {
    return std::expm1(x);
  } else {
    using std::exp;
    V const h = x / V(2);
    V const grow = exp(h);
    return x < V(.5) && V(-.5) < x ? V(x + x * x * expm1_tail(x)) : V(grow * grow - V(1));
  }
}

/// log x for x > 0; −inf at 0, NaN below.
template <class V>
DIVOT_INLINE V log(V const& x) {
  if constexpr (lane_traits<V>::is_pack) {
    using T = scalar_of<V>;
    constexpr bool single = std::is_same_v<T, float>;
    auto const [mantissa, exponent] = lane_traits<V>::split(x);  // mantissa in [√½, √2)
    V const z = math::quotient(V(mantissa - V(1)), V(mantissa + V(1)));
    V y = atanh2(z);
    y = math::fma(exponent, constant<V>(single ? -2.12194440e-4 : 1.9082149292705877e-10), y);
    y = math::fma(exponent, constant<V>(single ? 0.693359375 : 0.69314718036912381649), y);
    y = math::select(x == V(0), -infinity<V>(), y);
    y = math::select(x == infinity<V>(), x, y);
    return math::select(x >= V(0), y, V(std::numeric_limits<T>::quiet_NaN()));
  } else {
    using std::log;
    return V(log(x));
  }
}

/// log(1 + x) for x > −1, relatively accurate at every x; −inf at −1.
template <class V>
DIVOT_INLINE V log1p(V const& x) {
  if constexpr (lane_traits<V>::is_pack) {
    V const u = V(1) + x;
    // below √2 − 1 in size the series in x itself; above it log u with the rounding of u repaired
    V const near = atanh2(math::select(math::abs(x) < constant<V>(.29), x / (V(2) + x), V(0)));
    V const log_u = math::log(u);
    V const repaired = log_u + (x - (u - V(1))) / u;
    return math::select(math::abs(x) < constant<V>(.29), near,
                        math::select((u == V(0)) | (u == infinity<V>()), log_u, repaired));
  } else if constexpr (is_real<V>) {
    return std::log1p(x);
  } else {
    using std::log;
    V const u = V(1) + x;
    return V(log(u) + (x - (u - V(1))) / u);
  }
}

/// log(1 + x) for x ≥ 0 below 2^100, relatively accurate: log1p where the sign is known.
template <class V>
DIVOT_INLINE V log1p_positive(V const& x) {
  if constexpr (lane_traits<V>::is_pack) {
    constexpr bool single = std::is_same_v<scalar_of<V>, float>;
    auto const [mantissa, exponent] = lane_traits<V>::split_normal(V(V(1) + x));
    // without an exponent, x itself is exact where 1 + x is not
    V const f = math::select(exponent == V(0), x, V(mantissa - V(1)));
    V y = atanh2(math::quotient(f, V(f + V(2))));
    y = math::fma(exponent, constant<V>(single ? -2.12194440e-4 : 1.9082149292705877e-10), y);
    return math::fma(exponent, constant<V>(single ? 0.693359375 : 0.69314718036912381649), y);
  } else {
    return math::log1p(x);
  }
}

/// φ₁(x) = (e^x − 1)/x for x ≤ 0, with φ₁(0) = 1.
template <class V>
DIVOT_INLINE V expm1_ratio(V const& x) {
  auto const small = math::abs(x) < constant<V>(.5);
  V const safe = math::select(small, V(-1), x);
  return math::select(small, math::fma(x, expm1_tail(math::select(small, x, V(0))), V(1)),
                      math::expm1(safe) / safe);
}

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
