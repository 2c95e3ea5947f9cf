// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/mask_problem.hpp>

using fuzz::bits, fuzz::named, fuzz::plain, fuzz::subject;

DIVOT_FUZZ_ON(fuzz::mask_problem, plain(divot::kl{}, "kl"),
              plain(divot::reverse_kl{}, "reverse_kl"),
              plain(divot::jensen_shannon{}, "jensen_shannon"), [](bits& from) {
                double const a = from.between(-4, 4), b = from.between(-4, 4);
                return subject<divot::alpha_beta>{{a, b}, named("alpha_beta", a, b), true, 0};
              })
