// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What a loss's own condition takes from the budget: kinks, powers, differences of probabilities.

#include <accuracy/budget.hpp>
#include <accuracy/reference_gradient.hpp>

#include <span>
#include <vector>

namespace score {

using reference::quad;

/// By how much the bounds of budget.hpp grow for a row: 1, or more where a loss raises numbers to
/// large powers.
double power_factor(reference::divergence const& d, reference::row_pair const& row);

/// (p − γq)₊ away from γ = 1 is a difference whose terms are rounded: what these terms are,
/// relative to the loss; 1 for all other losses.
double cancellation(reference::divergence const& d, reference::row_pair const& row);

/// The student's gradient with the slopes that the library gave to classes at a kink, as far as
/// rounding leaves them open; the exact slopes everywhere else. Empty where no slope is certain.
/// Only for divergences with a kink.
template <class T>
std::vector<quad> with_slopes_at_kinks(reference::divergence const& d,
                                       reference::row_pair const& row, std::span<T const> got);

/// Error of the student's gradient, relative to `exact` where nothing is left open.
template <class T>
double gradient_error(reference::divergence const& d, reference::row_pair const& row,
                      std::span<T const> got, std::vector<quad> const& exact);

}  // namespace score
