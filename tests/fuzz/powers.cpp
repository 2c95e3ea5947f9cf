// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::bits, fuzz::named, fuzz::plain, fuzz::subject;

namespace {

// Policies need agree only where exponents do not multiply the logits' rounding errors.
double comparable(double exponent) { return std::abs(exponent) <= 4 ? 0 : 1e30; }

}  // namespace

DIVOT_FUZZ(
    plain(divot::squared_hellinger{}, "squared_hellinger"), plain(divot::pearson{}, "pearson"),
    [](bits& from) {
      double const a = from.between(-1e3, 1e3);
      return subject<divot::alpha>{{a}, named("alpha", a), true, comparable(a)};
    },
    [](bits& from) {
      double const a = from.between(-1e3, 1e3), b = from.between(-1e3, 1e3);
      return subject<divot::alpha_beta>{
          {a, b}, named("alpha_beta", a, b), true, comparable(std::abs(a) + std::abs(b))};
    })
