// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <accuracy/condition.hpp>
#include <accuracy/score.hpp>

#include <algorithm>
#include <cmath>

namespace score {

namespace {

using reference::divergence;
using reference::form;
using reference::row_pair;

double widest_gap(row_pair const& row) {
  quad largest = 0;
  for (quad const& ell : row.ell) {
    if (!reference::is_infinite(ell)) largest = std::max(largest, reference::abs(ell));
  }
  return static_cast<double>(largest);
}

/// What ln(p/q) is multiplied with in the exponents of a loss, or 0.
double largest_factor(divergence const& d) {
  double const a = static_cast<double>(d.a), b = static_cast<double>(d.b);
  switch (d.what) {
    case form::alpha_beta:  // with alpha + beta = 1 powers of probabilities are not powers of both
      return a + b == 1 ? 0 : std::max({std::abs(a), std::abs(b), std::abs(a + b)});
    case form::renyi:
      return std::isinf(a) ? 0 : std::max(std::abs(a), std::abs(1 - a));
    case form::sharma_mittal:
      return std::max({std::abs(a), std::abs(1 - a), std::abs(b - 1)});
    default:
      return 0;
  }
}

}  // namespace

double power_factor(divergence const& d, row_pair const& row) {
  double const exponent =
      d.is_own() ? d.own->largest_exponent(row, d.a) : largest_factor(d) * widest_gap(row);
  return std::max(1., exponent / budget::free_exponent);
}

double cancellation(divergence const& d, row_pair const& row) {
  if (!d.is_own()) return 1;
  return d.own->cancellation(d.exchanged ? row.swapped() : row, d.a);
}

template <class T>
std::vector<quad> with_slopes_at_kinks(divergence const& d, row_pair const& row,
                                       std::span<T const> got) {
  reference::kink const kink = *reference::kink_of(d);
  std::size_t const n = row.size(), top = row.student.top;
  // Where a slope does not jump but is steep, ell's rounding shows in it from further away.
  double const largest = std::min(1., widest_gap(row));
  double const tie = budget::tie<T> * (kink.step ? 1 : largest);
  double const radius = kink.step ? tie : std::max(tie, largest / 16);
  bool const far = reference::far(d, row);
  auto const slope = [&](quad ell) { return reference::own_slope(d, ell, far); };
  auto const tied = [&](std::size_t k) { return reference::abs(row.ell[k] - kink.at) < radius; };
  std::vector<quad> omega(n, 0);
  std::size_t known = n;  // the most probable class whose slope is known
  for (std::size_t k = 0; k < n; ++k) {
    if (tied(k) || row.q(k) == 0) continue;
    omega[k] = slope(row.ell[k]);
    if (known == n || row.q(k) > row.q(known)) known = k;
  }
  if (known == n) return {};
  auto const given = [&](std::size_t k) {
    return row.student.temperature * quad(got[row.classes[k]]) / row.q(k);
  };
  for (std::size_t k = 0; k < n; ++k) {
    if (!tied(k) || row.q(k) == 0) continue;
    quad const low = slope(row.ell[k] + tie), range = slope(row.ell[k] - tie) - low;
    quad share = (given(k) - given(known) + omega[known] - low) / range;
    if (kink.step) share = std::round(2 * static_cast<double>(share)) / 2;
    omega[k] = low + range * std::clamp<quad>(share, 0, 1);
  }
  return row.spread(reference::project(row.student, [&](std::size_t k) {
    if (row.q(k) == 0) return reference::weight_without_student(d, row, k);
    return row.q(k) * (omega[k] - omega[top]);
  }));
}
template std::vector<quad> with_slopes_at_kinks(divergence const&, row_pair const&,
                                                std::span<float const>);
template std::vector<quad> with_slopes_at_kinks(divergence const&, row_pair const&,
                                                std::span<double const>);

template <class T>
double gradient_error(divergence const& d, row_pair const& row, std::span<T const> got,
                      std::vector<quad> const& exact) {
  if (!reference::kink_of(d)) return error(got, exact);
  bool const finite = std::all_of(got.begin(), got.end(), [](T g) { return std::isfinite(g); });
  if (!finite) return error(got, exact);
  std::vector<quad> const resolved = with_slopes_at_kinks(d, row, got);
  return resolved.empty() ? 0 : error(got, resolved);
}
template double gradient_error(divergence const&, row_pair const&, std::span<float const>,
                               std::vector<quad> const&);
template double gradient_error(divergence const&, row_pair const&, std::span<double const>,
                               std::vector<quad> const&);

}  // namespace score
