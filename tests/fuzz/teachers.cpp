// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Mixtures of teachers; those of teacher and student are in mixtures.cpp.

#include <fuzz/mixture_problem.hpp>

using fuzz::bits, fuzz::named, fuzz::plain, fuzz::subject;

namespace {

// The logarithm of a mixture is rounded to double, 1e-16 or so: ell has three digits of its own
// from 1e-13 on.
constexpr double least = 1e-20;

}  // namespace

DIVOT_FUZZ_ON(
    fuzz::mixture_problem, plain(divot::kl{}, "kl", least),
    plain(divot::reverse_kl{}, "reverse_kl", least),
    plain(divot::squared_hellinger{}, "squared_hellinger", least),
    [](bits& from) {
      double const order = from.between(1e-3, 8);
      return subject<divot::renyi>{{order}, named("renyi", order), true, order <= 4 ? least : 1e30};
    },
    [](bits& from) {
      double const a = from.between(-4, 4), b = from.between(-4, 4);
      // negative powers make much of the rounding of rare classes
      bool const small = a >= 0 && b >= 0;
      return subject<divot::alpha_beta>{
          {a, b}, named("alpha_beta", a, b), true, small ? least : 1e30};
    })
