// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The entries of the catalogue that no other program has, at any parameters that their
// descriptions allow.
#include <fuzz/check.hpp>

namespace fuzz {
namespace {

using rest = divot::losses_without<
    divot::catalogue, divot::kl, divot::reverse_kl, divot::jeffreys, divot::soft_cross_entropy,
    divot::jensen_shannon, divot::skew_js, divot::skew_kl, divot::squared_hellinger, divot::pearson,
    divot::neyman, divot::alpha, divot::alpha_beta, divot::total_variation, divot::marton,
    divot::hockey_stick, divot::degroot, divot::triangular, divot::arithmetic_geometric,
    divot::puri_vincze, divot::vajda, divot::matusita, divot::osterreicher_vajda, divot::renyi,
    divot::bhattacharyya, divot::sharma_mittal, divot::log_alpha_beta, divot::cross_entropy,
    divot::z_loss>;

/// Nothing is known of where its digits go: policies must agree on losses that are not small.
template <class What>
subject<What> any_of(bits& from) {
  What what;
  auto const about = describe(what);
  std::string text = about.name;
  for (auto const& parameter : about.parameters) {
    what.*parameter.member = from.between(parameter.least, parameter.most);
    text = named(text.c_str(), what.*parameter.member);
  }
  return {what, text, true, 1e-3};
}

template <class... Losses>
void check_any(bits& from, divot::loss_list<Losses...>) {
  check_one_of<problem>(from, any_of<Losses>..., plain(divot::kl{}, "kl"));
}

}  // namespace
}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  fuzz::bits from({data, size});
  fuzz::check_any(from, fuzz::rest{});
  return 0;
}
