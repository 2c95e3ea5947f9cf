// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

DIVOT_CALLS_EITHER
template <class F, class Tuple, std::size_t... I>
DIVOT_INLINE constexpr decltype(auto) unpack(F const& f, Tuple&& t, std::index_sequence<I...>) {
  return f(std::get<I>(std::forward<Tuple>(t))...);
}
/// f(elements of t...): std::apply, less what compilers take a third of a loss's parsing for (they
/// ask of every f whether it may throw).
DIVOT_CALLS_EITHER
template <class F, class Tuple>
DIVOT_INLINE constexpr decltype(auto) unpack(F const& f, Tuple&& t) {
  constexpr std::size_t size = std::tuple_size_v<std::remove_cvref_t<Tuple>>;
  return divot::unpack(f, std::forward<Tuple>(t), std::make_index_sequence<size>{});
}

}  // namespace DIVOT_ABI
}  // namespace divot
