// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::bits, fuzz::named, fuzz::plain, fuzz::subject;

// A difference p − γq has as many digits as p and q leave it: small losses are not compared.
DIVOT_FUZZ(
    plain(divot::total_variation{}, "total_variation", 1e-4),
    plain(divot::marton{}, "marton", 1e-4),
    [](bits& from) {
      double const gamma = from.between(1, 1e6);
      return subject<divot::hockey_stick>{{gamma}, named("hockey_stick", gamma), true, 1e-3};
    },
    [](bits& from) {
      double const prior = from.between(1e-16, 1 - 1e-16);
      return subject<divot::degroot>{{prior}, named("degroot", prior), true, 1e-3};
    })
