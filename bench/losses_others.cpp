// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "cases.hpp"

namespace bench {

void add_others() {
  add_loss("squared_hellinger", divot::squared_hellinger{});
  add_loss("total_variation", divot::total_variation{});
  add_loss("pearson", divot::pearson{});
  add_loss("jensen_shannon", divot::jensen_shannon{});
}

}  // namespace bench
