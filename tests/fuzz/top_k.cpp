// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/top_k_problem.hpp>

using fuzz::bits, fuzz::named, fuzz::plain, fuzz::subject;

namespace {

// The logarithms are rounded to double, and so is the tail's mass: ell has three digits of its own
// from 1e-13 on.
constexpr double least = 1e-20;

}  // namespace

DIVOT_FUZZ_ON(
    fuzz::top_k_problem, plain(divot::kl{}, "kl", least),
    [](bits& from) {
      double const a = from.between(-4, 4), b = from.between(-4, 4);
      return subject<divot::alpha_beta>{{a, b}, named("alpha_beta", a, b), true, least};
    },
    [](bits& from) {
      double const order = from.between(1e-3, 8);
      return subject<divot::renyi>{{order}, named("renyi", order), true, order <= 4 ? least : 1e30};
    },
    [](bits& from) {
      double const weight = from.between(0, 1e3);
      auto const what = divot::total_variation{} + weight * divot::cross_entropy{.1, .5};
      using what_type = std::remove_const_t<decltype(what)>;
      return subject<what_type>{what, named("total_variation + cross_entropy(.1, .5)", weight),
                                true, 1e-4};
    })
