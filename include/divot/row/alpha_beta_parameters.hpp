// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/divided_difference.hpp>
#include <divot/core/types.hpp>

#include <array>
#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// ∂D/∂α and ∂D/∂β of the α-β divergence of one row, in extended precision.
///
///   ∂D/∂α = Σ q^λ ell² (log q·[0,αℓ,λℓ] + ell·[0,αℓ,αℓ,λℓ] + ell·[0,αℓ,λℓ,λℓ])
///   ∂D/∂β = Σ q^λ ell² (log q·[0,αℓ,λℓ] + ell·[0,αℓ,λℓ,λℓ])
///
/// with […] divided differences of exp and ℓ = ell = log(p/q). Classes that are −inf on both sides
/// add nothing; a one-sided −inf makes the derivatives what the divergence's own are: infinite, or
/// those of q^λ/(αλ).
///
/// log_p, log_q  classes log-probabilities, as functions of the class
template <class LogP, class LogQ>
std::array<long double, 2> alpha_beta_parameters(double alpha, double beta, index classes,
                                                 LogP const& log_p, LogQ const& log_q) {
  long double const a = alpha, b = beta, l = a + b;
  long double const inf = std::numeric_limits<long double>::infinity();
  std::array<long double, 2> sum{0, 0};
  for (index k = 0; k < classes; ++k) {
    long double const p = log_p(k), q = log_q(k);
    if (p == -inf && q == -inf) continue;
    if (p == -inf || q == -inf) {
      // the surviving side's x^λ/(cλ), c = α where p = 0 and β where q = 0
      long double const x = p == -inf ? q : p, c = p == -inf ? a : b;
      if (!(c > 0 && l > 0)) {
        sum[0] = sum[1] = std::numeric_limits<long double>::quiet_NaN();
        continue;
      }
      long double const value = std::exp(l * x) / (c * l);
      long double const common = value * (x - 1 / l);
      sum[0] += common - (p == -inf ? value / c : 0);
      sum[1] += common - (p == -inf ? 0 : value / c);
      continue;
    }
    long double const ell = p - q, al = a * ell, ll = l * ell, shift = l * q;
    auto const third = exp_divided_difference<3>({0, al, ll}, shift);
    auto const by_alpha = exp_divided_difference<4>({0, al, al, ll}, shift);
    auto const by_lambda = exp_divided_difference<4>({0, al, ll, ll}, shift);
    long double const square = ell * ell;
    long double const shared = q * third + ell * by_lambda;
    sum[0] += square * (shared + ell * by_alpha);
    sum[1] += square * shared;
  }
  return sum;
}

}  // namespace DIVOT_ABI
}  // namespace divot
