// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// IEEE quadruple precision, 33 digits and exponents to ±4932, for the references of the tests.
// GCC's libquadmath on x86 (Clang links it too); long double where that is quadruple already.

#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#if LDBL_MANT_DIG >= 113

namespace reference {
using quad = long double;
inline quad exp(quad x) { return std::exp(x); }
inline quad expm1(quad x) { return std::expm1(x); }
inline quad log(quad x) { return std::log(x); }
inline quad log1p(quad x) { return std::log1p(x); }
inline quad sqrt(quad x) { return std::sqrt(x); }
inline quad parse_quad(std::string const& text) { return std::strtold(text.c_str(), nullptr); }
}  // namespace reference

#else

namespace reference {
__extension__ typedef __float128 quad;
}  // namespace reference

// Declared here because <quadmath.h> is not on Clang's path and needs GNU literals.
extern "C" {
reference::quad expq(reference::quad);
reference::quad expm1q(reference::quad);
reference::quad logq(reference::quad);
reference::quad log1pq(reference::quad);
reference::quad sqrtq(reference::quad);
reference::quad strtoflt128(char const*, char**);
}

namespace reference {
inline quad exp(quad x) { return expq(x); }
inline quad expm1(quad x) { return expm1q(x); }
inline quad log(quad x) { return logq(x); }
inline quad log1p(quad x) { return log1pq(x); }
inline quad sqrt(quad x) { return sqrtq(x); }
inline quad parse_quad(std::string const& text) { return strtoflt128(text.c_str(), nullptr); }
}  // namespace reference

#endif

namespace reference {

inline quad const infinity = std::numeric_limits<double>::infinity();
inline quad nan() { return std::numeric_limits<double>::quiet_NaN(); }

inline quad abs(quad x) { return x < 0 ? -x : x; }
inline bool is_infinite(quad x) { return x == infinity || x == -infinity; }
inline bool is_nan(quad x) { return x != x; }
inline bool is_finite(quad x) { return !is_infinite(x) && !is_nan(x); }

/// 2^−112, one unit in the last place of 1.
inline quad epsilon() {
  quad e = 1;
  for (int i = 0; i < 112; ++i) e /= 2;
  return e;
}

}  // namespace reference
