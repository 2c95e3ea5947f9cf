// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/divot.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <variant>

namespace cli {

/// A loss: what it is called and computes, and the values that its parameters begin with.
template <class Loss, std::size_t Parameters>
struct loss_row {
  divot::description<Loss, Parameters> about;
  Loss initial = {};
};

// Clang 14 makes none for aggregates.
template <class Loss, std::size_t Parameters>
loss_row(divot::description<Loss, Parameters>, Loss) -> loss_row<Loss, Parameters>;

template <class... Losses>
auto rows_of(divot::loss_list<Losses...>) {
  return std::tuple{loss_row{describe(Losses{}), Losses{}}...};
}

/// Every loss that the program knows, in the order in which they are listed: the library's
/// catalogue, and two names for functions of its entries.
inline auto const& loss_table() {
  using jensen_shannon_distance = divot::powered<divot::jensen_shannon>;
  using hellinger_distance = divot::powered<divot::scaled<divot::squared_hellinger>>;
  static auto const table = std::tuple_cat(
      rows_of(divot::catalogue{}),
      std::tuple{
          loss_row<jensen_shannon_distance, 0>{{"jensen_shannon_distance", "√jensen_shannon"},
                                               divot::jensen_shannon_distance()},
          loss_row<hellinger_distance, 0>{{"hellinger_distance", "√(½ Σ (√p − √q)²)"},
                                          divot::hellinger_distance()}});
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
template <class Variant, class Loss, std::size_t Parameters, class... Rows>
struct collect<Variant, loss_row<Loss, Parameters>, Rows...> {
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
