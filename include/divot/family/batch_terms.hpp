// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/sinkd.hpp>
#include <divot/core/unpack.hpp>
#include <divot/family/loss.hpp>
#include <divot/family/sinkd_ground.hpp>

#include <tuple>

namespace divot {
inline namespace DIVOT_ABI {

/// A loss with a call of its own: one between rows, of which what a row adds hangs on all of them,
/// or one that solves a problem a row. A sum works these out first.
template <class L>
inline constexpr bool is_batch_term = false;
template <>
inline constexpr bool is_batch_term<sinkd> = true;
template <class G>
inline constexpr bool is_batch_term<sinkd_with_cost<G>> = true;
template <>
inline constexpr bool is_composite<sinkd> = true;
template <class G>
inline constexpr bool is_composite<sinkd_with_cost<G>> = true;

/// Whether a loss is one, or has one among its terms.
template <class L>
inline constexpr bool has_batch_terms = is_batch_term<L>;
template <class L>
inline constexpr bool has_batch_terms<scaled<L>> = has_batch_terms<L>;
template <class... L>
inline constexpr bool has_batch_terms<sum<L...>> = (has_batch_terms<L> || ...);

/// Whether a loss, or one of its terms, takes no teacher but logits.
template <class L>
inline constexpr bool needs_teacher_logits = false;
template <class L>
inline constexpr bool needs_teacher_logits<scaled<L>> = needs_teacher_logits<L>;
template <class... L>
inline constexpr bool needs_teacher_logits<sum<L...>> = (needs_teacher_logits<L> || ...);

/// Whether a loss, or one of its terms, compares numbers and not distributions.
template <class L>
inline constexpr bool has_terms_of_numbers = false;
template <class G>
inline constexpr bool has_terms_of_numbers<sinkd_with_cost<G>> = compares_numbers<G>;
template <class L>
inline constexpr bool has_terms_of_numbers<scaled<L>> = has_terms_of_numbers<L>;
template <class... L>
inline constexpr bool has_terms_of_numbers<sum<L...>> = (has_terms_of_numbers<L> || ...);

/// The terms of a sum that are batch terms, or those that are not, each with the product of the
/// weights around it: a tuple of scaled<…>.
template <bool Batch, loss L>
auto terms_of(L const& term, double weight) {
  if constexpr (is_batch_term<L> == Batch) {
    return std::make_tuple(scaled<L>{weight, term});
  } else {
    return std::tuple();
  }
}
template <bool Batch, class L>
auto terms_of(scaled<L> const& s, double weight) {
  check_finite(s.weight, "weighted term", "the weight");
  return terms_of<Batch>(s.term, weight * s.weight);
}
template <bool Batch, class... L>
auto terms_of(sum<L...> const& s, double weight) {
  return unpack([&](auto const&... t) { return std::tuple_cat(terms_of<Batch>(t, weight)...); },
                s.terms);
}

// A temperature around a term that has its own would be a second one.
template <loss L>
requires has_batch_terms<L>
constexpr L at(double, L const& term) {
  static_assert(
      never<L>,
      "divot: at(T, ...) does not reach sinkd, nor class_transport, which have temperatures "
      "of their own: sinkd{.temperature = T}");
  return term;
}
template <loss L>
requires has_batch_terms<L>
constexpr L at(double temperature, L const& term, t_squared_tag) { return at(temperature, term); }

template <class L>
requires is_batch_term<L>
inline constexpr bool has_own_reverse<L> = true;
template <loss L>
requires is_batch_term<L>
constexpr L reverse(L const& term) {
  static_assert(never<L>, "divot: sinkd has no reverse: divergences of single rows have one");
  return term;
}
template <loss L>
requires has_batch_terms<L>
constexpr L power(L const& term, double) {
  static_assert(never<L>,
                "divot: power(D, r) takes a divergence of single rows, or a sum of them: sinkd and "
                "class_transport are none");
  return term;
}

}  // namespace DIVOT_ABI
}  // namespace divot
