// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "cases.hpp"

#include <cstdio>

namespace bench {

namespace {

/// Measured on more than a row in cache, in files of their own.
using others =
    divot::losses_without<divot::catalogue, divot::kl, divot::reverse_kl, divot::squared_hellinger,
                          divot::total_variation, divot::pearson, divot::jensen_shannon,
                          divot::skew_kl, divot::skew_js, divot::alpha_beta>;

/// name(parameter,…)
template <class L>
std::string name_of(L const& what) {
  auto const about = describe(what);
  std::string text = about.name;
  char before = '(';
  for (auto const& parameter : about.parameters) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%c%g", before, what.*parameter.member);
    text += digits;
    before = ',';
  }
  if (!about.parameters.empty()) text += ')';
  return text;
}

}  // namespace

void add_catalogue() {
  divot::for_each_loss(others{}, [](auto const& what) { add_cached(name_of(what), what); });
  // what other parameters cost, and compositions
  add_cached("vajda(2.5)", divot::vajda{2.5});
  add_cached("puri_vincze(2.5)", divot::puri_vincze{2.5});
  add_cached("puri_vincze(3)", divot::puri_vincze{3});
  add_cached("matusita(0.3)", divot::matusita{.3});
  add_cached("alpha(0.3)", divot::alpha{.3});
  add_cached("renyi(inf)", divot::renyi{std::numeric_limits<double>::infinity()});
  add_cached("cross_entropy(0.1,0)", divot::cross_entropy{.smoothing = .1});
  add_cached("reverse(skew_kl)", divot::reverse(divot::skew_kl{}));
  add_cached("squared_euclidean", divot::squared_euclidean());
  add_cached("itakura_saito", divot::itakura_saito());
  add_cached("skew(pearson)(.3)", divot::skew(divot::pearson{}, .3));
  add_cached("symmetrized(pearson)", divot::symmetrized(divot::pearson{}));
  add_cached("jensen_shannon_distance", divot::jensen_shannon_distance());
}

}  // namespace bench
