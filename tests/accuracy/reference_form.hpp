// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What the reference can compute: forms of divergences and their parameters.

#include <accuracy/quad.hpp>
#include <accuracy/reference_class.hpp>

#include <array>

namespace reference {

enum class form {
  kl,
  reverse_kl,
  jeffreys,
  jensen_shannon,
  skew_js,          // a: the teacher's weight
  skew_kl,          // a: the teacher's weight
  reverse_skew_kl,  // a: the weight of the first argument of skew_kl, here the student
  squared_hellinger,
  pearson,
  neyman,
  total_variation,
  le_cam,
  alpha_beta,  // a, b: alpha, beta
  soft_cross_entropy,
  // Made of others.
  skew,         // of: D, a: the teacher's weight in the second argument
  symmetrized,  // of: D
  power,        // of: D, a: the exponent
  renyi,        // a: order
  bhattacharyya,
  sharma_mittal,  // a, b: order, degree
  own             // what its file in tests/entries says; a: its parameter
};

struct divergence {
  form what = form::kl;
  quad a = 0, b = 0;
  form of = form::kl;      // which one a composite is made of
  bool exchanged = false;  // D(q‖p) of a form that has no other name for it
  class_form const* own = nullptr;

  bool is_own() const { return own != nullptr; }
  /// 1 − a, which b holds where a alone would not give its digits.
  quad rest() const { return b != 0 ? b : 1 - a; }
  bool skewed_kl() const { return what >= form::skew_js && what <= form::reverse_skew_kl; }
  bool composite() const { return what >= form::skew && what != form::own; }

  /// The same with its arguments exchanged.
  divergence reversed() const {
    switch (what) {
      case form::kl:
        return {form::reverse_kl};
      case form::reverse_kl:
        return {form::kl};
      case form::skew_js:
        return {form::skew_js, rest(), a};
      case form::skew_kl:
        return {form::reverse_skew_kl, a, b};
      case form::reverse_skew_kl:
        return {form::skew_kl, a, b};
      case form::pearson:
        return {form::neyman};
      case form::neyman:
        return {form::pearson};
      case form::alpha_beta:
        return {form::alpha_beta, b, a};
      case form::skew:
      case form::power:
      case form::renyi:
      case form::sharma_mittal:
        return {what, a, b, of, !exchanged};
      case form::own:
        return {what, a, b, of, own->has_reverse() && !exchanged, own};
      default:
        return *this;
    }
  }

  /// What a composite is a function of. Rényi's order 1 is KL; its order ∞ has none.
  divergence inner() const {
    divergence d{of};
    if (what == form::renyi || what == form::sharma_mittal) {
      d = a == 1 ? divergence{form::kl} : divergence{form::alpha_beta, a, 1 - a};
    } else if (what == form::bhattacharyya) {
      d = {form::alpha_beta, 0.5, 0.5};
    }
    return exchanged ? d.reversed() : d;
  }
};

/// The α-divergence: the line alpha + beta = 1 of the plane, exactly.
inline divergence alpha_divergence(double alpha) {
  return {form::alpha_beta, alpha, 1 - quad(alpha)};
}

}  // namespace reference
