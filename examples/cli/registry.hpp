// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct any_loss;  // losses.hpp

/// A loss as the commands see it: the types of losses.hpp are gone.
struct loss_entry {
  struct parameter {
    std::string name;
    double initial;
    std::string meaning;
    /// Words, where it is one of them and no number: its value is the place of one.
    std::vector<std::string> choices = {};
    /// A file's name, and no number.
    bool is_file = false;
  };

  std::string name;
  std::string formula;
  std::string note;  ///< other names, whose it is; may be empty
  std::vector<parameter> parameters;
  bool needs_labels = false;
  bool has_teacher = true;  ///< a divergence: reads the teacher, and has a reverse
  /// Reads the teacher, has no reverse, a temperature among its parameters, and is no loss of the
  /// table: one of batch_terms().
  bool own_call = false;
  bool between_rows = false;  ///< what a row adds hangs on all of them
  /// The loss with these parameters, in their order; reversed only where has_teacher.
  std::function<any_loss(std::span<double const> values, bool reversed)> make;

  /// f of an f-divergence at the initial values: at 0, f(u)/u at ∞, and along u.
  struct shape {
    double at_zero = 0, slope_at_infinity = 0;
    std::vector<double> u, f, slope;
  };
  std::optional<loss_entry::shape> (*shape_of)() = nullptr;

  /// The parameters' initial values.
  std::vector<double> initial_values() const;
};

/// A parameter's value as one writes it.
std::string value_text(loss_entry::parameter const& p, double value);

/// The table of losses.hpp.
std::vector<loss_entry> const& registry();

/// Losses that are no row of losses.hpp: they have a call of their own, and parameters that are no
/// numbers.
std::vector<loss_entry const*> const& batch_terms();

/// The loss of that name, of the table or with a call of its own, or null.
loss_entry const* find_loss(std::string_view name);

/// The names nearest to what somebody typed, nearest first, at most `count`, joined by commas.
std::string nearest_names(std::string_view typed, std::size_t count = 3);

}  // namespace cli
