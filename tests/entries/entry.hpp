// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// A divergence of the catalogue as its test file describes it. Accuracy, limits, laws, policies and
// derivatives are then tested with all others: tests/accuracy and tests/property go by the list.
//
// tests/entries/NAME.cpp defines `losses::entry const& entries::NAME()`; CMake finds it there.

#include <accuracy/losses.hpp>
#include <accuracy/reference_class.hpp>

#include <string>
#include <vector>

namespace losses {

class entry : public reference::class_form {
 public:
  virtual std::string name() const = 0;
  /// Values of the parameter to try; one that does not matter where there is none.
  virtual std::vector<double> tried() const = 0;
  virtual bool has_parameter() const = 0;
  /// f''(u) where that is smooth enough for a quadrature, else NaN.
  virtual double curvature(double u, double a) const = 0;
  /// Whether the first of `tried` goes over the longest rows, too.
  virtual bool on_long_rows() const { return true; }

  virtual answer<float> run(policy, losses::loss const&, problem<float> const&, wanted) const = 0;
  virtual answer<double> run(policy, losses::loss const&, problem<double> const&, wanted) const = 0;
};

/// Every file of tests/entries.
std::vector<entry const*> const& entries();

/// The entry called `name`, at a value of its parameter.
loss of(std::string const& name, double a = 0);

}  // namespace losses
