// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "registry.hpp"

#include <Eigen/Core>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cli {

/// A distribution that a divergence compares: of_teacher·p + of_student·q.
struct mixed_side {
  double of_teacher = 0, of_student = 0;  ///< they sum to 1

  bool is_teacher() const { return of_student == 0; }
  bool is_student() const { return of_teacher == 0; }
};

/// One divergence or other loss.
struct loss_term {
  loss_entry const* loss = nullptr;
  std::vector<double> values;                        ///< of its parameters
  std::string file = {};                             ///< of the parameter that is one
  std::shared_ptr<Eigen::MatrixXd const> cost = {};  ///< what is in it, once it is read
  std::optional<double> temperature = {};            ///< none: the one of the command line
  bool t_squared = false;
  double weight = 1;
  /// It is D(first ‖ second). Reverses and skews, however nested, come to nothing else.
  mixed_side first{1, 0}, second{0, 1};
  /// What was put around it, innermost first: the teacher's weight of a skew, none for a reverse.
  std::vector<std::optional<double>> around = {};

  void reverse();
  void skew(double teacher_weight);
  /// Whether it compares p and q themselves, in whatever order.
  bool is_pure() const { return !is_mixed(first) && !is_mixed(second); }
  bool is_reversed() const { return first.is_student(); }

  /// As one would write it, without the weight: reverse(skew_kl(teacher_weight=0.1)).
  std::string text() const;

 private:
  static bool is_mixed(mixed_side const& s) { return !s.is_teacher() && !s.is_student(); }
};

/// A part of a loss: weight·(Σ terms)^exponent, row by row. With an exponent of 1 one term.
struct loss_part {
  std::vector<loss_term> terms;
  double weight = 1, exponent = 1;
};

}  // namespace cli
