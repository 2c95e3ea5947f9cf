// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// The divergences of the library from their textbook definitions, in quadruple precision.
//
// Losses here, gradients in reference_gradient.hpp; those with a closed form per class stand in
// reference_own.hpp, those made of others in reference_composite.hpp. tools/make_reference.py
// computes all from the definitions alone with hundreds of digits, and tables.test.cpp compares.

#include <accuracy/quad.hpp>
#include <accuracy/reference_composite.hpp>
#include <accuracy/reference_form.hpp>
#include <accuracy/reference_own.hpp>
#include <accuracy/row_pair.hpp>
#include <accuracy/series.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace reference {

/// f(u) with f(1) = f'(1) = 0, for a number or a series.
template <class N>
N generator(divergence const& d, N const& u) {
  switch (d.what) {
    case form::kl:
      return u * log(u) - u + 1;
    case form::reverse_kl:
      return u - 1 - log(u);
    case form::jeffreys:
      return (u - 1) * log(u);
    case form::jensen_shannon:
      return (u * log(u) - (u + 1) * log((u + 1) / 2)) / 2;
    case form::squared_hellinger:
      return (sqrt(u) - 1) * (sqrt(u) - 1);
    case form::pearson:
      return (u - 1) * (u - 1);
    case form::neyman:
      return (u - 1) * (u - 1) / u;
    case form::le_cam:
      return (u - 1) * (u - 1) / (2 * (u + 1));
    default:
      return N(0);
  }
}

/// f(0): what a class without teacher adds, per unit of q. By duality f'(∞) is that of reversed().
inline quad at_zero(divergence const& d) {
  if (d.is_own()) return own_at_zero(d);
  quad const a = d.a;
  switch (d.what) {
    case form::kl:
    case form::squared_hellinger:
    case form::pearson:
      return 1;
    case form::jensen_shannon:
      return log(quad(2)) / 2;
    case form::skew_js:
      return -d.rest() * (a < 0.5 ? log1p(-a) : log(d.rest()));
    case form::skew_kl:
      return d.rest();
    case form::reverse_skew_kl:
      return a > 0.5 ? -log1p_beyond_first(-d.rest()) : -log(a) - d.rest();
    case form::total_variation:
    case form::le_cam:
      return quad(1) / 2;
    default:
      return infinity;
  }
}

/// One class of the α-β divergence: −(p^α q^β − (α/λ) p^λ − (β/λ) q^λ)/(αβ) and its limits, as
/// q^λ ell² exp[0, α ell, λ ell]; three powers would cancel on and beside the singular lines.
inline quad alpha_beta_loss(divergence const& d, row_pair const& row, std::size_t k) {
  quad const lambda = d.a + d.b, ell = row.ell[k];
  if (row.p(k) == 0) {
    if (!(d.a > 0 && lambda > 0)) return infinity;
    return power(row.student.log_p[k], lambda) / (d.a * lambda);
  }
  if (row.q(k) == 0) {
    if (!(d.b > 0 && lambda > 0)) return infinity;
    return power(row.teacher.log_p[k], lambda) / (d.b * lambda);
  }
  std::array<quad, 3> const nodes{0, d.a * ell, lambda * ell};
  quad const scale = lambda == 1 ? row.q(k) : power(row.student.log_p[k], lambda);
  return scale * ell * ell * exp_divided(nodes);
}

/// KL(p‖m) of a class, m = weight·p + share·q: p (x − log1p(x)), x = m/p − 1 = share·(q/p − 1).
/// Nothing cancels, however small the share or the weight.
inline quad kl_to_mixture(quad p, quad q, quad ell, quad weight, quad share) {
  quad const x = share * expm1(-ell);
  if (abs(x) < 0.0625) return -p * log1p_beyond_first(x);
  quad const log_m = x < -0.5 ? log(weight + share * exp(-ell)) : log1p(x);
  return share * (q - p) - p * log_m;
}

/// One class of the skew divergences. JS is the sum of both sides' divergences to the mixture.
inline quad skew_loss(divergence const& d, row_pair const& row, std::size_t k) {
  quad const p = row.p(k), q = row.q(k), ell = row.ell[k], a = d.a, rest = d.rest();
  if (d.what == form::skew_kl) return kl_to_mixture(p, q, ell, a, rest);
  if (d.what == form::reverse_skew_kl) return kl_to_mixture(q, p, -ell, a, rest);
  return a * kl_to_mixture(p, q, ell, a, rest) + rest * kl_to_mixture(q, p, -ell, rest, a);
}

/// D(p‖q) of a row.
inline quad loss(divergence const& d, row_pair const& row) {
  if (d.exchanged) return loss(d.reversed(), row.swapped());
  if (d.composite()) return composite_loss(d, row);
  quad sum = 0;
  bool const by_generator = d.what != form::alpha_beta && d.what != form::total_variation &&
                            d.what != form::soft_cross_entropy && !d.is_own() && !d.skewed_kl();
  series const near = by_generator ? generator(d, series::exponential()) : series();
  quad const without_teacher = at_zero(d),
             without_student = d.is_own() ? own_at_infinity(d) : at_zero(d.reversed());
  for (std::size_t k = 0; k < row.size(); ++k) {
    quad const p = row.p(k), q = row.q(k), ell = row.ell[k];
    if (d.what == form::alpha_beta) {
      sum += alpha_beta_loss(d, row, k);
    } else if (d.what == form::soft_cross_entropy) {
      if (p != 0) sum -= p * row.student.log_p[k];
    } else if (p == 0) {
      sum += q * without_teacher;
    } else if (q == 0) {
      sum += p * without_student;
    } else if (d.skewed_kl()) {
      sum += skew_loss(d, row, k);
    } else if (d.is_own()) {
      sum += d.own->loss(row, k, d.a);
    } else if (d.what == form::total_variation) {
      sum += q * abs(expm1(ell)) / 2;
    } else if (abs(ell) < 0.125) {
      sum += q * ell * ell * near.beyond_second(ell);
    } else {
      sum += q * generator(d, p / q);
    }
  }
  return sum;
}

}  // namespace reference
