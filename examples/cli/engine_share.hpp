// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "engine.hpp"

#include <divot/divot.hpp>

#include <cstddef>
#include <stdexcept>
#include <utility>
#include <variant>

namespace cli {

/// The weight and the temperature go into the loss, so that the value, the rows' losses and the
/// gradient all carry them, and the z-loss stays at temperature 1.
template <class Policy, class Loss, class Storage>
loss_value call_one(Policy const& policy, Loss const& loss, loss_call<Storage> const& call) {
  auto const target = call.add ? divot::accumulate(call.gradient) : divot::target_of(call.gradient);
  divot::at_temperature<Loss> const term{call.temperature, loss, call.t_squared};
  auto const result = divot::value_and_gradient(policy, call.weight * term, call.teacher,
                                                call.student, target, call.batch);
  return {static_cast<double>(result.value), result.valid_rows};
}

/// The losses of this share, by their index in the variant.
template <class Storage, std::size_t Share>
loss_value call_share(any_policy const& policy, loss_call<Storage> const& call) {
  constexpr std::size_t first = first_of_share(Share), last = first_of_share(Share + 1);
  loss_value result;
  bool found = false;
  auto const try_one = [&]<std::size_t Index>(std::integral_constant<std::size_t, Index>) {
    if (auto const* loss = std::get_if<Index>(&call.loss.value)) {
      result = std::visit([&](auto const& p) { return call_one(p, *loss, call); }, policy);
      found = true;
    }
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (try_one(std::integral_constant<std::size_t, first + I>{}), ...);
  }
  (std::make_index_sequence<last - first>{});
  if (!found) throw std::logic_error("engine: a loss came to the wrong share");
  return result;
}

}  // namespace cli
