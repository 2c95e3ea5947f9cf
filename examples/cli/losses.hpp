// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/divot.hpp>

#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

namespace cli {

/// A parameter of a loss: its key, the member that holds it (whose initial value is the default)
/// and what it means.
template <class Loss>
struct parameter_row {
  char const* name;
  double Loss::*member;
  char const* meaning;
};

/// A loss: its name, its formula and its parameters.
template <class Loss>
struct loss_row {
  char const* name;
  char const* formula;
  std::vector<parameter_row<Loss>> parameters = {};
  Loss initial = {};
};

/// Every loss that the program knows, in the order in which they are listed. A loss becomes known
/// to list, eval and compare by its line here, and by nothing else.
inline auto const& loss_table() {
  static std::tuple const table{
      loss_row<divot::kl>{"kl", "Σ p ln(p/q)"},
      loss_row<divot::reverse_kl>{"reverse_kl", "Σ q ln(q/p)"},
      loss_row<divot::jeffreys>{"jeffreys", "Σ (p − q) ln(p/q)"},
      loss_row<divot::jensen_shannon>{"jensen_shannon", "½ KL(p‖m) + ½ KL(q‖m), m = (p + q)/2"},
      loss_row<divot::skew_js>{
          "skew_js",
          "π KL(p‖m) + (1 − π) KL(q‖m), m = πp + (1 − π)q",
          {{"teacher_weight", &divot::skew_js::teacher_weight, "π in (0, 1)"}}},
      loss_row<divot::skew_kl>{
          "skew_kl",
          "KL(p‖πp + (1 − π)q)",
          {{"teacher_weight", &divot::skew_kl::teacher_weight, "π in (0, 1)"}}},
      loss_row<divot::squared_hellinger>{"squared_hellinger", "Σ (√p − √q)²"},
      loss_row<divot::pearson>{"pearson", "Σ (p − q)²/q"},
      loss_row<divot::neyman>{"neyman", "Σ (p − q)²/p"},
      loss_row<divot::total_variation>{"total_variation", "½ Σ |p − q|"},
      loss_row<divot::alpha>{"alpha",
                             "(Σ p^α q^(1−α) − 1)/(α(α − 1)), kl at α = 1, reverse_kl at α = 0",
                             {{"alpha", &divot::alpha::alpha, "α, any finite number"}}},
      loss_row<divot::alpha_beta>{
          "alpha_beta",
          "−1/(αβ) Σ (p^α q^β − (α p^λ + β q^λ)/λ), λ = α + β, and its limits",
          {{"alpha", &divot::alpha_beta::alpha, "α, any finite number"},
           {"beta", &divot::alpha_beta::beta, "β, any finite number"}}},
      loss_row<divot::triangular>{"triangular", "Σ (p − q)²/(p + q)"},
      loss_row<divot::vajda>{
          "vajda",
          "Σ q |p/q − 1|^k",
          {{"order", &divot::vajda::order, "k ≥ 1; 1 is twice total_variation, 2 is pearson"}}},
      loss_row<divot::puri_vincze>{"puri_vincze",
                                   "½ Σ |p − q|^k/(p + q)^(k−1)",
                                   {{"order", &divot::puri_vincze::order, "k ≥ 1"}}},
      loss_row<divot::matusita>{
          "matusita",
          "Σ |p^a − q^a|^(1/a)",
          {{"exponent", &divot::matusita::exponent, "a in [1/64, 1]; ½ is squared_hellinger"}}},
      loss_row<divot::arithmetic_geometric>{"arithmetic_geometric",
                                            "½ KL(m‖p) + ½ KL(m‖q), m = (p + q)/2"},
      loss_row<divot::osterreicher_vajda>{
          "osterreicher_vajda",
          "Σ ((p^b + q^b)^(1/b) − 2^(1/b−1) (p + q))/(1 − 1/b), twice jensen_shannon at b = 1",
          {{"order", &divot::osterreicher_vajda::order, "b in [1/32, 10⁶]"}}},
      loss_row<divot::hockey_stick>{"hockey_stick",
                                    "Σ max(p − γq, 0)",
                                    {{"threshold", &divot::hockey_stick::threshold, "γ ≥ 1"}}},
      loss_row<divot::degroot>{"degroot",
                               "min(ω, 1 − ω) − Σ min(ωp, (1 − ω)q)",
                               {{"prior", &divot::degroot::prior, "ω in (0, 1), of the teacher"}}},
      loss_row<divot::marton>{"marton", "Σ max(q − p, 0)²/q"},
      loss_row<divot::renyi>{"renyi",
                             "ln(Σ p^a q^(1−a))/(a − 1), kl at a = 1, max ln(p/q) at a = inf",
                             {{"order", &divot::renyi::order, "a > 0, inf included"}}},
      loss_row<divot::bhattacharyya>{"bhattacharyya", "−ln Σ √(pq)"},
      loss_row<divot::sharma_mittal>{
          "sharma_mittal",
          "(S^((1−b)/(1−a)) − 1)/(b − 1), S = Σ p^a q^(1−a)",
          {{"order", &divot::sharma_mittal::order, "a > 0"},
           {"degree", &divot::sharma_mittal::degree, "b, any finite number; renyi at 1"}}},
      loss_row<divot::log_alpha_beta>{
          "log_alpha_beta",
          "ln Σp^λ/(βλ) + ln Σq^λ/(αλ) − ln Σp^α q^β/(αβ), λ = α + β, and its limits",
          {{"alpha", &divot::log_alpha_beta::alpha, "α"},
           {"beta", &divot::log_alpha_beta::beta, "β, α + β > 0"}}},
      loss_row<divot::powered<divot::jensen_shannon>>{
          "jensen_shannon_distance", "√jensen_shannon", {}, divot::jensen_shannon_distance()},
      loss_row<divot::powered<divot::scaled<divot::squared_hellinger>>>{
          "hellinger_distance", "√(½ Σ (√p − √q)²)", {}, divot::hellinger_distance()},
      loss_row<divot::cross_entropy>{
          "cross_entropy",
          "−Σ r ln q + c (ln Σ e^s)², r = (1 − ε)·[k = label] + ε/K",
          {{"smoothing", &divot::cross_entropy::smoothing, "ε in [0, 1)"},
           {"z_loss", &divot::cross_entropy::z_loss, "c, the weight of the z-loss"}}},
      loss_row<divot::soft_cross_entropy>{"soft_cross_entropy", "−Σ p ln q"},
      loss_row<divot::z_loss>{"z_loss", "(ln Σ e^s)², s the student's logits at temperature 1"}};
  return table;
}

/// Needs a teacher's distribution, and has a reverse.
template <class Loss>
inline constexpr bool has_teacher = divot::divergence<Loss> || divot::row_function<Loss>;

// The divergence with its arguments exchanged. Where that is a loss of the table, it is named here:
// divot::reverse would give the same numbers and one more kernel to compile.
template <class Loss>
requires(has_teacher<Loss>) auto exchanged(Loss const& loss) { return divot::reverse(loss); }
template <class Loss>
Loss exchanged(divot::reversed<Loss> const& loss) {
  return loss.of;
}
inline divot::reverse_kl exchanged(divot::kl) { return {}; }
inline divot::kl exchanged(divot::reverse_kl) { return {}; }
inline divot::jeffreys exchanged(divot::jeffreys d) { return d; }
inline divot::jensen_shannon exchanged(divot::jensen_shannon d) { return d; }
inline divot::skew_js exchanged(divot::skew_js d) { return {1 - d.teacher_weight}; }
inline divot::squared_hellinger exchanged(divot::squared_hellinger d) { return d; }
inline divot::neyman exchanged(divot::pearson) { return {}; }
inline divot::pearson exchanged(divot::neyman) { return {}; }
inline divot::total_variation exchanged(divot::total_variation d) { return d; }
inline divot::alpha exchanged(divot::alpha d) { return {1 - d.alpha}; }
inline divot::alpha_beta exchanged(divot::alpha_beta d) { return {d.beta, d.alpha}; }
inline divot::triangular exchanged(divot::triangular d) { return d; }
inline divot::puri_vincze exchanged(divot::puri_vincze d) { return d; }
inline divot::matusita exchanged(divot::matusita d) { return d; }
inline divot::arithmetic_geometric exchanged(divot::arithmetic_geometric d) { return d; }
inline divot::osterreicher_vajda exchanged(divot::osterreicher_vajda d) { return d; }
inline divot::degroot exchanged(divot::degroot d) { return {1 - d.prior}; }
inline divot::bhattacharyya exchanged(divot::bhattacharyya d) { return d; }
inline divot::log_alpha_beta exchanged(divot::log_alpha_beta d) { return {d.beta, d.alpha}; }
template <class Symmetric>
divot::powered<Symmetric> exchanged(divot::powered<Symmetric> const& d) {
  return d;
}

namespace detail {

template <class Variant, class Loss>
struct with;
template <class... Known, class Loss>
struct with<std::variant<Known...>, Loss> {
  static constexpr bool is_known = (std::is_same_v<Known, Loss> || ...);
  using type = std::conditional_t<is_known, std::variant<Known...>, std::variant<Known..., Loss>>;
};

template <class Variant, class... Rows>
struct collect {
  using type = Variant;
};
template <class Variant, class Loss, class... Rows>
struct collect<Variant, loss_row<Loss>, Rows...> {
  static auto exchanged_type() {
    if constexpr (has_teacher<Loss>) {
      return exchanged(Loss{});
    } else {
      return Loss{};
    }
  }
  using with_loss = typename with<Variant, Loss>::type;
  using with_both = typename with<with_loss, decltype(exchanged_type())>::type;
  using type = typename collect<with_both, Rows...>::type;
};

template <class Table>
struct variant_of;
template <class... Rows>
struct variant_of<std::tuple<Rows...>> {
  using type = typename collect<std::variant<>, Rows...>::type;
};

}  // namespace detail

/// Any loss of the table, or its reverse, with its parameters.
struct any_loss {
  using type = typename detail::variant_of<std::remove_cvref_t<decltype(loss_table())>>::type;
  type value;
};

}  // namespace cli
