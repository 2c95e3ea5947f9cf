// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "engine.hpp"
#include "evaluate.hpp"

#include <divot/core/errors.hpp>

namespace cli {

struct execution::policy {
  any_policy value;
};

template <class T>
divot::matrix_ref<T const> view(matrix<T> const& m) {
  return {m.data(), m.rows(), m.cols()};
}
template <class T>
divot::matrix_ref<T> view(matrix<T>& m) {
  return {m.data(), m.rows(), m.cols()};
}

/// The library's words as a flaw of the term they are about.
[[noreturn]] void throw_flaw(loss_term const& term, divot::error const& e);

}  // namespace cli
