// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Divergences made of others: against a mixture, added to their own reverse, and functions h(D) of
// a row's divergence D.

#include <accuracy/quad.hpp>
#include <accuracy/reference_form.hpp>
#include <accuracy/reference_own.hpp>
#include <accuracy/row_pair.hpp>

#include <cstddef>

namespace reference {

inline quad loss(divergence const& d, row_pair const& row);

/// The row with m = weight·p + (1 − weight)·q in the student's place.
inline row_pair mixed(row_pair const& row, quad weight) {
  row_pair other = row;
  for (std::size_t k = 0; k < row.size(); ++k) {
    quad const p = row.p(k), ell = row.ell[k];
    other.student.p[k] = ell == 0 ? p : weight * p + (1 - weight) * row.q(k);
    other.student.log_p[k] = log(1 - weight) + row.student.log_p[k];
    if (p == 0) continue;
    quad const x = (1 - weight) * expm1(-ell);  // m/p − 1
    other.ell[k] = ell < 0    ? ell - log1p(weight * expm1(ell))
                   : x < -0.5 ? -log(weight + (1 - weight) * exp(-ell))
                              : -log1p(x);
    other.student.log_p[k] = row.teacher.log_p[k] - other.ell[k];
  }
  return other;
}

/// The class of the largest ln(p/q).
inline std::size_t largest_ratio(row_pair const& row) {
  std::size_t largest = 0;
  for (std::size_t k = 1; k < row.size(); ++k) {
    if (row.ell[k] > row.ell[largest]) largest = k;
  }
  return largest;
}

/// ln Σ p^α q^β from the α-divergence (α + β = 1) of the row, or directly where 1 − αβD cancels.
inline quad log_affinity(divergence const& alpha, quad value, row_pair const& row) {
  quad const beyond_one = -alpha.a * alpha.b * value;
  if (abs(beyond_one) < 0.5 || is_infinite(beyond_one)) return log1p(beyond_one);
  auto const exponent = [&](std::size_t k) {
    return alpha.a * row.teacher.log_p[k] + alpha.b * row.student.log_p[k];
  };
  quad largest = -infinity, sum = 0;
  auto const present = [&](std::size_t k) { return row.p(k) != 0 && row.q(k) != 0; };
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (present(k) && exponent(k) > largest) largest = exponent(k);
  }
  if (is_infinite(largest)) return largest;
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (present(k)) sum += exp(exponent(k) - largest);
  }
  return largest + log(sum);
}

/// h(D) and h'(D).
struct outer {
  quad value = 0, slope = 0;
};

/// Rényi's divergence of a finite order as a function of the α-divergence: ln S/(a − 1), a/S.
inline outer renyi(divergence const& d, quad inner, row_pair const& row) {
  if (d.a == 1) return {inner, 1};
  quad const log_s = log_affinity(d.inner(), inner, row);
  return {log_s / (d.a - 1), d.a * exp(-log_s)};
}

/// A function of a divergence whose value is `inner`.
inline outer outer_of(divergence const& d, quad inner, row_pair const& row) {
  switch (d.what) {
    case form::power:
      if (inner == 0) return {d.a == 0 ? quad(1) : quad(0), 0};
      return {raised(inner, d.a), d.a * raised(inner, d.a - 1)};
    case form::renyi:
      return renyi(d, inner, row);
    case form::bhattacharyya: {
      quad const log_s = log_affinity(d.inner(), inner, row);
      return {-log_s, exp(-log_s) / 4};
    }
    case form::sharma_mittal: {
      outer const r = renyi(d, inner, row);
      quad const degree = d.b - 1;
      if (degree == 0) return r;
      return {expm1(degree * r.value) / degree, exp(degree * r.value) * r.slope};
    }
    default:
      return {inner, 1};
  }
}

/// D(p‖q) of a composite that is not exchanged.
inline quad composite_loss(divergence const& d, row_pair const& row) {
  if (d.what == form::skew) return loss(d.inner(), mixed(row, d.a));
  if (d.what == form::symmetrized) {
    return loss(d.inner(), row) + loss(d.inner().reversed(), row);
  }
  if (d.what == form::renyi && is_infinite(d.a)) return row.ell[largest_ratio(row)];
  return outer_of(d, loss(d.inner(), row), row).value;
}

/// ∂d/∂q of a class of D(q‖n), n = weight·q + (1 − weight)·p: with v = q/n this is
/// weight·(f − v f') + f', 0 at p = q or, where `far`, 0 as p/q → 0.
inline quad exchanged_skew_slope(divergence const& d, quad ell, bool far) {
  quad const weight = d.a, share = 1 - weight, x = share * expm1(ell), n = 1 + x;  // n: n/q = 1/v
  quad const s = share * exp(ell) / weight;  // 1/(weight·v) − 1
  switch (d.of) {
    case form::pearson: {
      quad const gap = s / (weight * (1 + s));  // 1/weight − v
      return far ? -weight * gap * gap : -x / n * (2 - weight * (1 + 1 / n));
    }
    case form::reverse_kl:
      return far ? weight * log1p_beyond_first(s) : weight * log1p(x) - x;
    case form::squared_hellinger: {
      quad const root = expm1((far ? -log1p(s) : -log1p(x)) / 2);  // √(weight·v) − 1 or √v − 1
      return far ? -root * root * sqrt(n) : root / (1 + root) - weight * root;
    }
    case form::total_variation:
      return -sign(ell) * share / 2;
    default:
      return nan();
  }
}

/// The limit of q times that as q → 0 at a fixed p > 0.
inline quad exchanged_skew_without_student(divergence const& d, quad p) {
  return d.of == form::reverse_kl ? -(1 - d.a) * p : quad(0);
}

}  // namespace reference
