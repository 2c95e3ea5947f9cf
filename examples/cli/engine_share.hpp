// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "engine.hpp"

#include <divot/divot.hpp>

#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace cli {

/// The weight goes into the loss, so that the value, the rows' losses and the gradient all carry
/// it. So does the temperature of a loss without a teacher: its z-loss stays at temperature 1 and
/// without a factor.
template <class Policy, class Loss, class Storage>
loss_value call_one(Policy const& policy, Loss const& loss, loss_call<Storage> const& call) {
  auto const target = call.add ? divot::accumulate(call.gradient) : divot::target_of(call.gradient);
  auto const run = [&](auto const& what) {
    auto const result = divot::value_and_gradient(
        policy, what, divot::logits(call.teacher, call.teacher_temperature),
        divot::logits(call.student, call.temperature), target, call.batch);
    return loss_value{static_cast<double>(result.value), result.valid_rows};
  };
  if constexpr (has_teacher<Loss>) {
    double const factor = call.t_squared ? call.temperature * call.temperature : 1;
    return run((call.weight * factor) * loss);
  } else {
    return run(call.weight * divot::at_temperature<Loss>{call.temperature, loss, call.t_squared});
  }
}

/// Numbers wider than the vectors' go one class at a time, whatever the policy.
template <class Loss, class Storage>
loss_value call_under(any_policy const& policy, Loss const& loss, loss_call<Storage> const& call) {
  if constexpr (std::is_same_v<Storage, long double>) {
    return call_one(divot::seq, loss, call);
  } else {
    return std::visit([&](auto const& p) { return call_one(p, loss, call); }, policy);
  }
}

/// The losses of this share, by their index in the variant.
template <class Storage, std::size_t Share>
loss_value call_share(any_policy const& policy, loss_call<Storage> const& call) {
  constexpr std::size_t first = first_of_share(Share), last = first_of_share(Share + 1);
  loss_value result;
  bool found = false;
  auto const try_one = [&]<std::size_t Index>(std::integral_constant<std::size_t, Index>) {
    if (auto const* loss = std::get_if<Index>(&call.loss.value)) {
      result = call_under(policy, *loss, call);
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
