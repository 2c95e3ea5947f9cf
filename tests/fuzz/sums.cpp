// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::bits, fuzz::named, fuzz::subject;

namespace {

template <class What>
subject<What> sum_of(What const& what, std::string text) {
  return {what, std::move(text), true, 0};
}

}  // namespace

DIVOT_FUZZ(
    [](bits& from) {
      double const a = from.between(0, 1e3), b = from.between(0, 1e3);
      return sum_of(a * divot::kl{} + b * divot::reverse(divot::squared_hellinger{}),
                    named("kl + reverse(squared_hellinger)", a, b));
    },
    [](bits& from) {
      double const a = from.between(0, 1e3), t = from.between(1e-3, 1e3);
      return sum_of(a * divot::at(t, divot::neyman{}, divot::t_squared) + divot::total_variation{},
                    named("at(t, neyman, t_squared) + total_variation", a, t));
    },
    [](bits& from) {
      double const pi = from.between(2.3e-308, 1 - 0x1p-53), weight = from.between(0, 1e3);
      return sum_of(
          divot::skew(divot::pearson{}, pi) + weight * divot::symmetrized(divot::skew_kl{pi}),
          named("skew(pearson) + symmetrized(skew_kl)", pi, weight));
    })
