// expect: divot: a divergence has a reverse
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>

void wrong() { divot::reverse(divot::cross_entropy{}); }
