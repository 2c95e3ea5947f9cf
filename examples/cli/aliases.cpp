// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "aliases.hpp"

#include <array>
#include <charconv>

namespace cli {
namespace {

/// All digits of a number, as --loss reads it.
std::string digits(double x) {
  std::array<char, 32> text{};
  auto const end = std::to_chars(text.data(), text.data() + text.size(), x).ptr;
  return {text.data(), end};
}

}  // namespace

std::string alias::written_out(std::span<double const> values) const {
  std::string text;
  for (std::size_t i = 0; i < meaning.size(); ++i) {
    if (meaning[i] != '{') {
      text += meaning[i];
      continue;
    }
    std::size_t const end = meaning.find('}', i);
    std::string const what = meaning.substr(i, end - i);
    double const x = values[0], spread = x * (1 - x);
    text += digits(what == "{+1" ? x + 1 : what == "{" ? x : spread != 0 ? 1 / spread : 1);
    i = end;
  }
  return text;
}

std::vector<alias> const& aliases() {
  static std::vector<alias> const table{
      {"forward_kl", "kl"},
      {"fkl", "kl"},
      {"rkl", "reverse_kl"},
      {"js", "jensen_shannon"},
      {"jsd", "jensen_shannon"},
      {"tv", "total_variation"},
      {"tvd", "total_variation"},
      {"chi2", "pearson"},
      {"chi_squared", "pearson"},
      {"ce", "cross_entropy"},
      {"topsoe", "2*jensen_shannon"},
      {"capacitory", "2*jensen_shannon"},
      {"gan", "2*jensen_shannon"},
      {"j_divergence", "jeffreys"},
      {"lin_k", "skew_kl(teacher_weight=0.5)"},
      {"distillm_skew_kl", "skew_kl(teacher_weight={})", {{"lambda", 0.1, "λ in (0, 1)"}}},
      {"distillm_skew_reverse_kl",
       "reverse(skew_kl(teacher_weight={}))",
       {{"lambda", 0.1, "λ in (0, 1)"}}},
      {"generalised_js",
       "{1/(π(1−π))}*skew_js(teacher_weight={})",
       {{"teacher_weight", 0.5, "π in (0, 1)"}}},
      {"gkd", "skew_js(teacher_weight={})", {{"beta", 0.5, "β in (0, 1)"}}},
      {"symmetric_chi_squared", "pearson+neyman"},
      {"cressie_read", "2*alpha(alpha={+1})", {{"lambda", 0.5, "λ, any finite number"}}},
      {"tsallis", "{}*alpha(alpha={})", {{"order", 2, "a, any finite number"}}},
      {"hellinger_of_order", "{}*alpha(alpha={})", {{"order", 2, "a, any finite number"}}},
      {"squared_euclidean", "2*alpha_beta(alpha=1,beta=1)"},
      {"generalised_kl", "kl"},
      {"itakura_saito", "alpha_beta(alpha=1,beta=-1)"},
      {"beta_divergence", "alpha_beta(alpha=1,beta={})", {{"beta", 1, "β, any finite number"}}},
      {"density_power", "{+1}*alpha_beta(alpha=1,beta={})", {{"beta", 1, "β > −1"}}},
      {"gamma_divergence", "log_alpha_beta(alpha=1,beta={})", {{"gamma", 1, "γ > −1"}}}};
  return table;
}

alias const* find_alias(std::string_view name) {
  for (alias const& a : aliases()) {
    if (a.name == name) return &a;
  }
  return nullptr;
}

}  // namespace cli
