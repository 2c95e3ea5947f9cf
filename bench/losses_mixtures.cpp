// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "cases.hpp"

namespace bench {

void add_mixtures() {
  add_loss("skew_kl", divot::skew_kl{});
  add_loss("skew_js", divot::skew_js{});
}

}  // namespace bench
