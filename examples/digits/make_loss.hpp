// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "losses.hpp"

#include <divot/divot.hpp>
#include <utility>

namespace digits {

template <class What>
loss make_loss(std::string name, kind k, std::string code, What what) {
  return {std::move(name), std::move(code), k,
          [what](teachers const& t, label_span labels, view student, matrix& gradient) -> float {
            return divot::value_and_gradient(what, t.first, student, gradient,
                                             divot::batch{.labels = labels});
          }};
}

/// What stands in the program stands in the report, too.
#define DIGITS_LOSS(name, kind, ...) make_loss(name, kind, #__VA_ARGS__, __VA_ARGS__)

}  // namespace digits
