// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "cases.hpp"

namespace bench {

void add_alpha_beta() { add_loss("alpha_beta(.2,.7)", divot::alpha_beta{.alpha = .2, .beta = .7}); }

}  // namespace bench
