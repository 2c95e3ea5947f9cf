// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>

#include <string>

/// What a call says when it refuses its input; empty: it does not.
template <class Call>
std::string refusal(Call const& call) {
  try {
    call();
  } catch (divot::error const& e) {
    return e.what();
  }
  return "";
}
