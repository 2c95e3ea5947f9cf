// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::bits, fuzz::named, fuzz::plain, fuzz::subject;

namespace {

template <class What>
subject<What> mixed(What const& what, std::string text) {
  return {what, std::move(text), true, 0};
}

/// ½ (u − 1)²/(u + 1), a user's own.
struct own {
  static constexpr double at_zero = .5, slope_at_infinity = .5;
  template <class T>
  static T f(T u) {
    return (T(1) - u) * (T(1) - u) / (T(2) * (T(1) + u));
  }
};

}  // namespace

DIVOT_FUZZ(
    [](bits& from) {
      divot::cross_entropy const what{from.between(0, .999), from.between(0, 1e3)};
      return subject<divot::cross_entropy>{
          what, named("cross_entropy", what.smoothing, what.z_loss), true, 0, false};
    },
    plain(divot::z_loss{}, "z_loss", 0, false),
    plain(divot::soft_cross_entropy{}, "soft_cross_entropy"),
    plain(divot::f_divergence<own>{}, "own f", 1e-5),
    [](bits& from) {
      double const a = from.between(0, 1e3), t = from.between(1e-3, 1e3);
      return mixed(a * divot::cross_entropy{.1} + divot::at(t, divot::kl{}, divot::t_squared),
                   named("cross_entropy(.1) + at(t, kl, t_squared)", a, t));
    })
