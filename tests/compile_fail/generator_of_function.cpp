// expect: divot: f-divergences, the sums of q f\(p/q\), have a generator, and so have
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

double wrong() { return divot::generator(2 * divot::renyi{}).at_zero; }
