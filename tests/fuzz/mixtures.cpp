// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::bits, fuzz::named, fuzz::subject;

namespace {

// At the ends float has the smaller weight, and its square has digits in double.
constexpr double least = 1e-6, most = 1 - 1e-6;

// A skew's loss is a difference of terms of the size of the smaller weight.
template <class What>
subject<What> checked(What const& what, char const* name, double pi) {
  return {what, named(name, pi), true, 1e-3 * std::min(pi, 1 - pi)};
}

}  // namespace

DIVOT_FUZZ(
    fuzz::plain(divot::jensen_shannon{}, "jensen_shannon"),
    [](bits& from) {
      double const pi = from.between(least, most);
      return checked(divot::skew_js{pi}, "skew_js", pi);
    },
    [](bits& from) {
      double const pi = from.between(least, most);
      return checked(divot::skew_kl{pi}, "skew_kl", pi);
    },
    [](bits& from) {
      double const pi = from.between(least, most);
      return checked(divot::reverse(divot::skew_kl{pi}), "reverse skew_kl", pi);
    })
