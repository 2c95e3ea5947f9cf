// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/eigen/transforms.hpp>

#include <array>
#include <cmath>
#include <tuple>
#include <type_traits>
#include <utility>

namespace divot {

/// Several teachers as one, the mean of their probabilities. Made by `mixture`.
template <class... Operands>
struct mixture_operand {
  std::tuple<Operands...> teachers;
  std::array<double, sizeof...(Operands)> weights;
};

inline namespace DIVOT_ABI {

template <class X>
inline constexpr bool is_mixture = false;
template <class... O>
inline constexpr bool is_mixture<mixture_operand<O...>> = true;

/// What a mixture may hold: logits, bare or wrapped.
template <class X>
inline constexpr bool is_logits_operand = matrix_like<X>;
template <class S, class... F>
inline constexpr bool is_logits_operand<operand<S, int(operand_kind::logits), F...>> = true;

/// One teacher of a mixture, kept as wrappers keep a matrix.
template <class X>
decltype(auto) mixed(X&& x) {
  if constexpr (matrix_like<X>) {
    return logits(std::forward<X>(x));
  } else {
    return std::remove_cvref_t<X>(std::forward<X>(x));
  }
}

template <class Weights, std::size_t... I, class Teachers>
auto make_mixture(Weights const& given, std::index_sequence<I...>, Teachers&& teachers) {
  std::array<double, sizeof...(I)> weights{};
  if (static_cast<std::size_t>(given.size()) != weights.size()) {
    fail("mixture: there are ", given.size(), " weights for ", weights.size(), " teachers");
  }
  double total = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<double>(given[static_cast<decltype(given.size())>(i)]);
    if (!(weights[i] >= 0) || !std::isfinite(weights[i])) {
      fail("mixture: weight ", i, " is ", weights[i], "; it must be 0 or positive");
    }
    total += weights[i];
  }
  if (!(std::abs(total - 1) <= 1e-12 * static_cast<double>(weights.size()))) {
    message text("divot: mixture: the weights sum to ");
    text.exact(total) << "; they must sum to 1";
    fail_with(text);
  }
  return mixture_operand<decltype(mixed(std::get<I>(std::forward<Teachers>(teachers))))...>{
      {mixed(std::get<I>(std::forward<Teachers>(teachers)))...}, weights};
}

/// An ensemble as the teacher: p = Σ_i w_i softmax(t_i/T_i), the mean of the teachers'
/// probabilities.
///
///   mixture(t_1, …, t_n, weights)
///
/// t_i      rows × classes, logits: bare, logits(x, T), or with transforms
/// weights  n numbers ≥ 0 that sum to 1 (within n·1e-12): anything with size() and []
///
/// log p is formed row by row, in double: no matrix of its own, and nothing of a small difference
/// between teacher and student is lost. Its temperatures are the wrappers' (or
/// batch::temperatures); it has no gradient. (Of the *logits'* mean, the geometric one, an
/// expression does: logits((t1 + t2) / 2).)
template <class... Args>
auto mixture(Args&&... args) {
  constexpr std::size_t last = sizeof...(Args) - 1;
  static_assert(sizeof...(Args) >= 2, "divot: mixture(t1, t2, weights): the weights come last");
  if constexpr (sizeof...(Args) >= 2) {
    using tuple = std::tuple<Args&&...>;
    using weights = std::remove_cvref_t<std::tuple_element_t<last, tuple>>;
    constexpr bool listed = number_list<weights> && !is_row_mask<weights>();
    static_assert(listed,
                  "divot: mixture(t1, t2, weights): the weights come last, a number a teacher: "
                  "anything with size() and [], std::array{.5, .5} for example");
    constexpr bool teachers = []<std::size_t... I>(std::index_sequence<I...>) {
      return (... && is_logits_operand<std::remove_cvref_t<std::tuple_element_t<I, tuple>>>);
    }
    (std::make_index_sequence<last>());
    static_assert(teachers,
                  "divot: mixture(t1, t2, weights): the teachers are logits, bare or in "
                  "logits(x, T)");
    if constexpr (listed && teachers) {
      tuple all(std::forward<Args>(args)...);
      return make_mixture(std::get<last>(all), std::make_index_sequence<last>(), std::move(all));
    }
  }
}

template <class... O>
inline constexpr bool moves_values<mixture_operand<O...>> = true;

}  // namespace DIVOT_ABI
}  // namespace divot
