// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::bits, fuzz::named, fuzz::plain, fuzz::subject;

DIVOT_FUZZ(
    plain(divot::power(divot::jensen_shannon{}, .5), "power(jensen_shannon, .5)", 1e-18),
    [](bits& from) {
      bool const last = from.byte() % 8 == 0;
      double const order = last ? std::numeric_limits<double>::infinity() : from.between(1e-3, 1e3);
      return subject<divot::renyi>{{order}, named("renyi", order), true, order <= 4 ? 0 : 1e30};
    },
    [](bits& from) {
      double const a = from.between(1e-3, 1e3), b = from.between(-1e3, 1e3);
      return subject<divot::sharma_mittal>{
          {a, b}, named("sharma_mittal", a, b), true, a + std::abs(b) <= 4 ? 0 : 1e30};
    },
    [](bits& from) {
      double const a = from.between(0, 1e2), b = from.between(1e-3, 1e2);
      return subject<divot::log_alpha_beta>{
          {a, b}, named("log_alpha_beta", a, b), true, a + b <= 4 ? 0 : 1e30};
    })
