// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "data.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace digits {

/// What a loss is like; decides its place in the table and its colour in every picture.
enum class kind {
  labels,      ///< no teacher
  forward,     ///< charges the student for every class that the teacher uses and it does not
  reverse,     ///< charges the student for every class that it uses and the teacher does not
  between,     ///< treats both sides alike
  alpha_beta,  ///< the α-β plane, and functions of its sums
  chi_squared,
  prepared,  ///< what stands between the logits and the divergence
  transport  ///< between rows
};

using label_span = std::span<std::int64_t const>;

/// The logits of a teacher, and of a second one that learned from the same images.
struct teachers {
  view first, second;

  teachers(view one, view other) : first(one), second(other) {}
  /// The same one twice, where there is no other.
  explicit teachers(view one) : first(one), second(one) {}
};

/// A loss with its type hidden, so that each is compiled once, in a file of its kin.
struct loss {
  std::string name;
  std::string code;  ///< the C++ expression it came from
  digits::kind kind;
  /// Mean over rows of the loss of (teachers, labels, student); its gradient goes to the last one.
  std::function<float(teachers const&, label_span, view, matrix&)> value_and_gradient;
};

std::vector<loss> kl_losses();
std::vector<loss> skew_losses();
std::vector<loss> symmetric_losses();
std::vector<loss> alpha_beta_losses();
std::vector<loss> order_losses();
std::vector<loss> composed_losses();
std::vector<loss> prepared_losses();
std::vector<loss> transport_losses();
std::vector<loss> other_losses();

/// Any point of the α-β plane.
loss alpha_beta_loss(double alpha, double beta);

/// Not in the table, but quoted in the report: a loss that does not train here.
loss neyman_at_one();

/// All of them, in the order of the table.
std::vector<loss> all_losses();

}  // namespace digits
