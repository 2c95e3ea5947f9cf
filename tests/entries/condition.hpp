// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What several entries' conditions have in common: kinks, powers, differences of probabilities.

#include <accuracy/reference_class.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace entries {

using reference::quad, reference::row_pair;

/// Of a loss that begins with the k-th power of |ell|.
inline std::optional<reference::kink> kink_of_power(quad k) {
  if (k >= 2) return std::nullopt;
  return reference::kink{0, k == 1};
}

/// The largest |a ln(p/q)|.
inline double exponent_of_ratio(row_pair const& row, quad a) {
  quad largest = 0;
  for (quad const& ell : row.ell) {
    if (!reference::is_infinite(ell)) largest = std::max(largest, reference::abs(ell));
  }
  return static_cast<double>(a * largest);
}

/// The largest |a ln size(|p/q − 1|)|: powers of a distance, relative to its size.
template <class Size>
double exponent_of_size(row_pair const& row, quad a, Size size) {
  quad largest = 0;
  for (quad const& ell : row.ell) {
    if (reference::is_infinite(ell) || ell == 0) continue;
    quad const x = size(reference::abs(reference::expm1(ell)));
    largest = std::max(largest, reference::abs(reference::log(x)));
  }
  return static_cast<double>(a * largest);
}

/// Σ (ap − bq)₊ with a kink at ln(p/q) = at, or the other side of it: its larger terms over it. The
/// share of ap − bq in ap is that of its loss in the class. At 0 nothing is rounded.
inline double hinge_cancellation(row_pair const& row, quad at, bool above, quad a) {
  if (at == 0) return 1;
  quad terms = 0, loss = 0;
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (above ? row.ell[k] <= at : row.ell[k] >= at) continue;
    quad const larger = above ? a * row.p(k) : (1 - a) * row.q(k);
    quad const beyond = above ? at - row.ell[k] : row.ell[k] - at;
    terms += larger;
    loss -= larger * reference::expm1(beyond);
  }
  return loss > 0 ? static_cast<double>(terms / loss) : 1;
}

}  // namespace entries
