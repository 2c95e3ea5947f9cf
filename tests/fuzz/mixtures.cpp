// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::bits, fuzz::named, fuzz::subject;

namespace {

// From the smallest double with all its digits to the largest below 1.
constexpr double least = 2.3e-308, most = 1 - 0x1p-53;

template <class What>
subject<What> checked(What const& what, char const* name, double pi) {
  return {what, named(name, pi), true, 0};
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
