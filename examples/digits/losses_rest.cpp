// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "make_loss.hpp"

namespace digits {

namespace {

/// What has no row of its own choosing: in other files, limits of others (degroot is a hockey
/// stick, bhattacharyya and log_alpha_beta are rényi's), or without a teacher.
using rest = divot::losses_without<
    divot::catalogue, divot::kl, divot::reverse_kl, divot::jeffreys, divot::jensen_shannon,
    divot::skew_js, divot::skew_kl, divot::squared_hellinger, divot::pearson, divot::neyman,
    divot::total_variation, divot::alpha, divot::alpha_beta, divot::triangular, divot::vajda,
    divot::puri_vincze, divot::matusita, divot::arithmetic_geometric, divot::osterreicher_vajda,
    divot::hockey_stick, divot::degroot, divot::marton, divot::renyi, divot::bhattacharyya,
    divot::sharma_mittal, divot::log_alpha_beta, divot::cross_entropy, divot::soft_cross_entropy,
    divot::z_loss>;

/// By what rules a class out: f(0) is what the student pays for a class that only it uses, f'(∞)
/// for one that only the teacher uses.
template <class What>
kind kind_of(What const& what) {
  auto const f = generator(what);
  return f.slope_at_infinity == f.at_zero  ? kind::between
         : f.slope_at_infinity > f.at_zero ? kind::forward
                                           : kind::reverse;
}

}  // namespace

/// Every other f-divergence of the catalogue, with its default parameters.
std::vector<loss> other_losses() {
  std::vector<loss> all;
  divot::for_each_loss(rest{}, [&](auto const& what) {
    std::string const name = describe(what).name;
    all.push_back(make_loss(name, kind_of(what), name + "{}", what));
  });
  return all;
}

}  // namespace digits
