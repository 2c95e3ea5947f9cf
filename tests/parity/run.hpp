// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// One policy's part of run(); included by the files that instantiate it.

#include <divot/divergence.hpp>

#include <parity/parity.hpp>

#include <stdexcept>
#include <type_traits>

namespace parity {

template <class T, class Policy, class What>
answer<T> call_with(Policy const& policy, What const& what, call<T> const& c) {
  auto const teacher = divot::logits(c.teacher, c.teacher_temperature);
  auto const student = divot::logits(c.student, c.student_temperature);
  divot::gradient_target<T> g = divot::target_of(c.student_gradient);
  divot::gradient_target<T> h = divot::target_of(c.teacher_gradient);
  g.add = h.add = c.accumulate;
  g.scale = h.scale = c.scale;
  if constexpr (std::is_same_v<T, float>) {
    if (h.matrix.data == nullptr) {
      auto const r = divot::value_and_gradient(policy, what, teacher, student, g, c.options);
      return {r.value, r.valid_rows};
    }
  }
  divot::temperature_gradient t;
  auto const where = divot::gradients().student(g).teacher(h).temperature(t);
  auto const r = divot::value_and_gradient(policy, what, teacher, student, where, c.options);
  return {r.value, r.valid_rows, t.student, t.teacher};
}

template <class T, class Policy>
answer<T> dispatch(Policy const& policy, loss what, call<T> const& c) {
  switch (what) {
    case loss::kl:
      return call_with(policy, divot::kl{}, c);
    case loss::alpha_beta:
      return call_with(policy, divot::alpha_beta{.alpha = 0.2, .beta = 0.7}, c);
    default:
      break;
  }
  if constexpr (std::is_same_v<T, float>) {
    switch (what) {
      case loss::jensen_shannon:
        return call_with(policy, divot::jensen_shannon{}, c);
      case loss::total_variation:
        return call_with(policy, divot::total_variation{}, c);
      default:
        break;
    }
    auto const kd = 0.9 * divot::at(4, divot::kl{}, divot::t_squared);
    return call_with(policy, 0.1 * divot::cross_entropy{} + kd, c);
  }
  throw std::logic_error("parity: this loss is not instantiated for this type");
}

}  // namespace parity
