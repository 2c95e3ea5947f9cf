// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/distributions.hpp>

using fuzz::bits, fuzz::named, fuzz::plain, fuzz::subject;

namespace {

// Log-probabilities beside logits sum to 1 to within float's rounding, and so ell is known: it has
// three digits of its own from 2e-4 on.
constexpr double least = 1e-7;

}  // namespace

DIVOT_FUZZ_ON(
    fuzz::log_probabilities, plain(divot::kl{}, "kl", least),
    plain(divot::jensen_shannon{}, "jensen_shannon", least),
    [](bits& from) {
      double const a = from.between(-4, 4), b = from.between(-4, 4);
      return subject<divot::alpha_beta>{{a, b}, named("alpha_beta", a, b), true, least};
    },
    [](bits& from) {
      double const order = from.between(1e-3, 8);
      return subject<divot::renyi>{{order}, named("renyi", order), true, order <= 4 ? least : 1e30};
    })
