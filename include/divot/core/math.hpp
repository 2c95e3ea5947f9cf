// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/coefficients.hpp>
#include <divot/core/lane.hpp>

#include <array>
#include <cmath>
#include <type_traits>

/// Elementary functions on lanes: a float, a double, any other scalar, or a pack of them.
///
/// Always called qualified (`math::exp`), so that no other library's function is found by
/// argument-dependent lookup. On float, double and long double they are the standard library's; on
/// packs they are the polynomials below. The errors are listed in tests/accuracy/budget.hpp.
namespace divot {
inline namespace DIVOT_ABI {
namespace math {

/// Before a call into the standard library's mathematics, which is SSE code: with the upper halves
/// of registers in use such a call costs ten times as much, and GCC does not always clear them
/// where a function of the same unit lies in between.
DIVOT_INLINE void before_library_call() {
#if defined(__AVX__) && defined(__GNUC__) && !defined(__CUDA_ARCH__)
  __builtin_ia32_vzeroupper();
#endif
}

/// A further argument of lanes V, where a scalar's expression template may stand for it.
template <class V>
using same = std::type_identity_t<V>;

template <class V>
DIVOT_INLINE V select(mask_of<V> const& m, V const& a, same<V> const& b) {
  return lane_traits<V>::select(m, a, b);
}
template <class V>
DIVOT_INLINE V fma(V const& a, same<V> const& b, same<V> const& c) {
  return lane_traits<V>::fma(a, b, c);
}
/// a·b − c
template <class V>
DIVOT_INLINE V fms(V const& a, same<V> const& b, same<V> const& c) {
  return lane_traits<V>::fms(a, b, c);
}
/// c − a·b
template <class V>
DIVOT_INLINE V fnma(V const& a, same<V> const& b, same<V> const& c) {
  return lane_traits<V>::fnma(a, b, c);
}
/// a/b to 1 ulp or so, for normal positive b below 2^125 (fp32) or 2^1020 (fp64) and |a/b| in
/// range: where the hardware's division is slow, from its reciprocal estimate.
template <class V>
DIVOT_INLINE V quotient(V const& a, same<V> const& b) {
  return lane_traits<V>::quotient(a, b);
}
template <class V>
DIVOT_INLINE V abs(V const& x) {
  return lane_traits<V>::abs(x);
}
template <class V>
DIVOT_INLINE V max(V const& a, same<V> const& b) {
  return lane_traits<V>::max(a, b);
}
template <class V>
DIVOT_INLINE V min(V const& a, same<V> const& b) {
  return lane_traits<V>::min(a, b);
}
template <class V>
DIVOT_INLINE V sqrt(V const& x) {
  return lane_traits<V>::sqrt(x);
}
/// Where m is not.
template <class V>
DIVOT_INLINE mask_of<V> opposite(mask_of<V> const& m) {
  return lane_traits<V>::opposite(m);
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
  for (std::size_t i = N - 1; i-- > 0;) y = math::fma(y, x, constant<V>(c[i]));
  return y;
}

/// The same with the upper terms in pairs: one product more, and fewer of them wait for each other.
template <class V, std::size_t N>
DIVOT_INLINE V paired_polynomial(V const& x, std::array<double, N> const& c) {
  static_assert(N % 2 == 0 && N >= 4);
  V const square = x * x;
  V y = math::fma(x, constant<V>(c[N - 1]), constant<V>(c[N - 2]));
  for (std::size_t i = N - 2; i > 2; i -= 2) {
    y = math::fma(y, square, math::fma(x, constant<V>(c[i - 1]), constant<V>(c[i - 2])));
  }
  return math::fma(math::fma(y, x, constant<V>(c[1])), x, constant<V>(c[0]));
}

/// (e^x − 1 − x)/x² for |x| ≤ ½. Error 1.5 ulp (fp32), 1 ulp (fp64).
template <class V>
DIVOT_INLINE V expm1_tail(V const& x) {
  if constexpr (std::is_same_v<scalar_of<V>, float>) {
    return paired_polynomial(x, coefficients::expm1_float);
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

/// (1 − e^x)/x for |x| ≤ ½, to 2e-7 (fp32).
template <class V>
DIVOT_INLINE V minus_expm1_ratio(V const& x) {
  if constexpr (std::is_same_v<scalar_of<V>, float>) {
    return math::fnma(x, polynomial(x, coefficients::expm1_short_float), V(-1));
  } else {
    return math::fnma(x, expm1_tail(x), V(-1));
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

/// atanh(z) for |z| ≤ .236.
template <class V>
DIVOT_INLINE V atanh(V const& z) {
  V const w = z * z;
  if constexpr (std::is_same_v<scalar_of<V>, float>) {
    return math::fma(V(z * w), polynomial(w, coefficients::scaled(.5, coefficients::atanh_float)),
                     z);
  } else {
    return math::fma(V(z * w), polynomial(w, coefficients::scaled(.5, coefficients::atanh_double)),
                     z);
  }
}

/// log(1 + small/large) for 0 ≤ small ≤ large, large normal and below 2^124: one division and no
/// split into exponent and mantissa.
template <class V>
DIVOT_INLINE V log1p_ratio(V const& small, V const& large) {
  // 2·atanh(z) with z = r/(2 + r) ≤ 1/3
  if constexpr (lane_traits<V>::is_pack) {
    V const z = math::quotient(small, V(small + V(large + large)));
    V const w = z * z;
    if constexpr (std::is_same_v<scalar_of<V>, float>) {
      return math::fma(V(z * w), polynomial(w, coefficients::atanh_third_float), V(z + z));
    } else {
      return math::fma(V(z * w), polynomial(w, coefficients::atanh_third_double), V(z + z));
    }
  } else if constexpr (is_real<V>) {
    before_library_call();
    return std::log1p(small / large);
  } else {
    using std::log;
    return V(log(V(1) + small / large));
  }
}

/// 2^f for |f| ≤ ½.
template <class V>
DIVOT_INLINE V exp2_reduced(V const& f) {
  if constexpr (std::is_same_v<scalar_of<V>, float>) {
    return math::fma(f, polynomial(f, coefficients::exp2m1_float), V(1));
  } else {
    return math::fma(f, polynomial(f, coefficients::exp2m1_double), V(1));
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
    before_library_call();
    using std::exp;
    return V(exp(x));
  }
}

/// e^x − 1, relatively accurate at every x.
template <class V>
DIVOT_INLINE V expm1(V const& x) {
  if constexpr (lane_traits<V>::is_pack) {
    return math::select(math::abs(x) < constant<V>(.5), math::fma(x * x, expm1_tail(x), x),
                        math::exp(x) - V(1));
  } else if constexpr (is_real<V>) {
    before_library_call();
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
    before_library_call();
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
    before_library_call();
    return std::log1p(x);
  } else {
    using std::log;
    V const u = V(1) + x;
    return V(log(u) + (x - (u - V(1))) / u);
  }
}

/// ln cosh y, relatively accurate at every y.
template <class V>
DIVOT_INLINE V log_cosh(V const& y) {
  V const size = math::abs(y), square = size * size;
  auto const near = size < constant<V>(.25);
  V small;
  if constexpr (std::is_same_v<scalar_of<V>, float>) {
    small = square * polynomial(square, coefficients::log_cosh_float);
  } else {
    small = square * polynomial(square, coefficients::log_cosh_double);
  }
  V const fallen = math::exp(V(V(-2) * size));
  V const large = (size - constant<V>(0.69314718055994530942)) + log1p_ratio(fallen, V(1));
  return math::select(near, small, large);
}

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
