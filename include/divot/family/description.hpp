// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

namespace divot {

/// A parameter of a loss: the member that holds it, its name, what it means, and two legal values
/// between which tests and fuzzers try it.
template <class Loss>
struct parameter_of {
  using number = double Loss::*;
  number member;
  char const* name;
  char const* meaning;
  double least, most;
};

/// What a loss is called and computes, for programs that list, time or test all of them:
/// `describe(loss)` gives it for every entry of catalogue.hpp. The defaults of the parameters are
/// those of `Loss{}`.
template <class Loss, std::size_t Parameters = 0>
struct description {
  char const* name;
  char const* formula;
  std::array<parameter_of<Loss>, Parameters> parameters = {};
  char const* note = "";  ///< other names, whose it is
};

template <class Loss, std::size_t Parameters>
description(char const*, char const*, parameter_of<Loss> const (&)[Parameters], char const* = "")
    -> description<Loss, Parameters>;

}  // namespace divot
