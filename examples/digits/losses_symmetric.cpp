// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

namespace digits {

using divot::arithmetic_geometric, divot::f_divergence, divot::jeffreys, divot::jensen_shannon,
    divot::matusita, divot::osterreicher_vajda, divot::puri_vincze, divot::squared_hellinger,
    divot::total_variation, divot::triangular;

namespace {

/// A divergence of the program's own: f, and its values at the ends.
struct le_cam {
  static constexpr double at_zero = 0.5, slope_at_infinity = 0.5;

  template <class T>
  static T f(T u) {
    return (T(1) - u) * (T(1) - u) / (T(2) * (T(1) + u));
  }
};

}  // namespace

std::vector<loss> symmetric_losses() {
  return {
      DIGITS_LOSS("Jensen–Shannon", kind::between, jensen_shannon{}),
      DIGITS_LOSS("squared Hellinger", kind::between, squared_hellinger{}),
      DIGITS_LOSS("total variation", kind::between, total_variation{}),
      DIGITS_LOSS("Jeffreys", kind::between, jeffreys{}),
      DIGITS_LOSS("triangular", kind::between, triangular{}),
      DIGITS_LOSS("Puri–Vincze 1.5", kind::between, puri_vincze{.order = 1.5}),
      DIGITS_LOSS("Matusita 0.7", kind::between, matusita{.exponent = 0.7}),
      DIGITS_LOSS("arithmetic–geometric", kind::between, arithmetic_geometric{}),
      DIGITS_LOSS("Österreicher–Vajda 2", kind::between, osterreicher_vajda{.order = 2}),
      DIGITS_LOSS("own: Le Cam", kind::between, f_divergence<le_cam>{}),
  };
}

}  // namespace digits
