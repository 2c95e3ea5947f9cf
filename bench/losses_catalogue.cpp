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
  add_cached("vajda(2.5)", divot::vajda{2.5});
  add_cached("puri_vincze(2)", divot::puri_vincze{2});
  add_cached("puri_vincze(2.5)", divot::puri_vincze{2.5});
  add_cached("puri_vincze(3)", divot::puri_vincze{3});
  add_cached("matusita(.5)", divot::matusita{.5});
  add_cached("matusita(.3)", divot::matusita{.3});
  add_cached("arithmetic_geometric", divot::arithmetic_geometric{});
  add_cached("osterreicher_vajda(2)", divot::osterreicher_vajda{2});
  add_cached("hockey_stick(2)", divot::hockey_stick{2});
  add_cached("degroot", divot::degroot{});
  add_cached("marton", divot::marton{});
  add_cached("alpha(.3)", divot::alpha{.3});
  add_cached("squared_euclidean", divot::squared_euclidean());
  add_cached("itakura_saito", divot::itakura_saito());
  add_cached("skew(pearson)(.3)", divot::skew(divot::pearson{}, .3));
  add_cached("symmetrized(pearson)", divot::symmetrized(divot::pearson{}));
  add_cached("jensen_shannon_distance", divot::jensen_shannon_distance());
  add_cached("renyi(2)", divot::renyi{2});
  add_cached("renyi(inf)", divot::renyi{std::numeric_limits<double>::infinity()});
  add_cached("bhattacharyya", divot::bhattacharyya{});
  add_cached("sharma_mittal(.5,2)", divot::sharma_mittal{});
  add_cached("log_alpha_beta(1,1)", divot::log_alpha_beta{});
  add_cached("soft_cross_entropy", divot::soft_cross_entropy{});
  add_cached("cross_entropy(.1)", divot::cross_entropy{.smoothing = .1});
}

}  // namespace bench
