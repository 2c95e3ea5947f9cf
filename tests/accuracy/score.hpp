// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Compares the library's answers with the reference, row by row, and keeps the worst.

#include <accuracy/budget.hpp>
#include <accuracy/losses.hpp>
#include <accuracy/quad.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace score {

using reference::quad;

/// Relative error of a number of type T. An exact value beyond T may be ±inf.
template <class T>
double error(quad got, quad exact);

/// Relative Euclidean error of a gradient of type T: entries that exceed T must be ±inf with the
/// right sign and do not count in the norms; any other inf or NaN is an infinite error. `scale` is
/// added to the norm (in squares), where relative to the gradient alone would mean nothing.
template <class T>
double error(std::span<T const> got, std::vector<quad> const& exact, quad scale = 0);

/// The reference of one row: the loss and the gradient over all columns.
struct exact_row {
  quad loss = 0;
  std::vector<quad> gradient;
};

template <class T>
exact_row exact(losses::loss const& l, losses::problem<T> const& rows, std::size_t row);

/// The worst errors of every loss and policy in one situation, where they were seen, and what to
/// assert about them at the end.
class report {
 public:
  report(budget::situation where, bool in_float) : where_(where), in_float_(in_float) {}
  template <class T>
  static report of(budget::situation where) {
    return {where, std::is_same_v<T, float>};
  }

  void loss(std::string const& name, losses::policy p, double error, std::string const& where);
  void gradient(std::string const& name, losses::policy p, double error, std::string const& where);

  /// One check for every loss and policy against the budget; prints a table if the environment
  /// asks.
  void finish() const;

 private:
  struct worst {
    double error = -1;
    std::string where;
  };
  struct errors {
    std::map<losses::policy, worst> loss, gradient;
  };
  errors& of_loss(std::string const& name);
  static void keep(worst& w, double error, std::string const& where);

  budget::situation where_;
  bool in_float_;
  std::vector<std::string> order_;
  std::map<std::string, errors> errors_;
};

/// Runs the losses on all rows with every policy and adds the errors of losses and student
/// gradients to the report. `where` describes the rows in messages.
template <class T>
void compare(report& r, std::vector<losses::loss> const& what, losses::problem<T> const& rows,
             std::string const& where);

/// The same for both types at once, on inputs that are exact in both: the reference of long rows
/// takes its time.
void compare(report& in_float, report& in_double, std::vector<losses::loss> const& what,
             losses::problem<float> const& rows, std::string const& where);

}  // namespace score
