// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::bits, fuzz::named, fuzz::subject;

namespace {

// Both weights are numbers that float holds to some digits.
constexpr double least = 1e-6, most = 1 - 1e-6;

}  // namespace

DIVOT_FUZZ(
    fuzz::plain(divot::jensen_shannon{}, "jensen_shannon"),
    [](bits& from) {
      double const pi = from.between(least, most);
      return subject<divot::skew_js>{{pi}, named("skew_js", pi)};
    },
    [](bits& from) {
      double const pi = from.between(least, most);
      return subject<divot::skew_kl>{{pi}, named("skew_kl", pi)};
    },
    [](bits& from) {
      double const pi = from.between(least, most);
      return subject<divot::reversed<divot::skew_kl>>{{{pi}}, named("reverse skew_kl", pi)};
    })
