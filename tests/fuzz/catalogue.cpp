// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::bits, fuzz::named, fuzz::plain, fuzz::subject;

DIVOT_FUZZ(
    plain(divot::triangular{}, "triangular"),
    plain(divot::arithmetic_geometric{}, "arithmetic_geometric"),
    [](bits& from) {
      double const order = from.between(1, 64);
      return subject<divot::puri_vincze>{
          {order}, named("puri_vincze", order), true, order <= 4 ? 0 : 1e30};
    },
    [](bits& from) {
      double const order = from.between(1, 64);
      return subject<divot::vajda>{{order}, named("vajda", order), true, order <= 4 ? 0 : 1e30};
    },
    [](bits& from) {
      double const exponent = from.between(1. / 64, 1);
      return subject<divot::matusita>{
          {exponent}, named("matusita", exponent), true, exponent >= .25 ? 0 : 1e30};
    },
    [](bits& from) {
      double const order = from.between(1. / 32, 1e6);
      return subject<divot::osterreicher_vajda>{
          {order}, named("osterreicher_vajda", order), true, order <= 8 ? 0 : 1e-4};
    })
