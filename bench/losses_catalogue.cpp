// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "cases.hpp"

namespace bench {

void add_catalogue() {
  add_cached("reverse(skew_kl)", divot::reverse(divot::skew_kl{}));
  add_cached("jeffreys", divot::jeffreys{});
  add_cached("neyman", divot::neyman{});
  add_cached("triangular", divot::triangular{});
  add_cached("vajda(3)", divot::vajda{3});
  add_cached("puri_vincze(3)", divot::puri_vincze{3});
  add_cached("matusita(.3)", divot::matusita{.3});
  add_cached("arithmetic_geometric", divot::arithmetic_geometric{});
  add_cached("osterreicher_vajda(2)", divot::osterreicher_vajda{2});
  add_cached("hockey_stick(2)", divot::hockey_stick{2});
  add_cached("marton", divot::marton{});
  add_cached("skew(pearson)(.3)", divot::skew(divot::pearson{}, .3));
  add_cached("symmetrized(pearson)", divot::symmetrized(divot::pearson{}));
  add_cached("jensen_shannon_distance", divot::jensen_shannon_distance());
  add_cached("renyi(2)", divot::renyi{2});
}

}  // namespace bench
