// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "logits.hpp"
#include "sparse_teacher.hpp"
#include "transforms.hpp"

#include <divot/core/options.hpp>
#include <divot/core/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cli {

/// What the command line says about inputs and how they are used. Empty and 0: not given.
struct input_options {
  std::vector<std::string> teachers;
  std::vector<double> teacher_weights;  ///< of the mixture
  std::vector<std::string> top_k;       ///< the sparse teacher's indices and log-probabilities
  std::string tail, tail_log_mass;
  std::string student, labels, mask, weights;
  std::string teacher_transforms, student_transforms;
  double temperature = 1;
  std::int64_t valid_classes = 0;
  bool has_valid_classes = false;
  std::string reduction = "mean";
  std::string policy;
  std::int64_t threads = 0;
  bool has_threads = false;
  std::string dtype;
  std::int64_t repeat = 1;

  bool has_teacher() const { return !teachers.empty() || !top_k.empty(); }
};

/// The inputs in memory, checked against each other.
struct problem {
  input_options from;
  any_logits logits;
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> mask;
  std::vector<double> weights;
  std::optional<sparse_teacher> sparse;
  std::vector<double> teacher_weights;  ///< one for each of the teachers
  std::vector<transform> teacher_transforms, student_transforms;
  divot::index rows = 0;
  divot::index valid_rows = 0;
  divot::index classes = 0;  ///< that count

  bool has_labels() const { return !from.labels.empty(); }
  /// Teacher, if there is one, and student are logits as they stand in their files.
  bool is_plain() const {
    return !sparse && teacher_weights.size() < 2 && teacher_transforms.empty() &&
           student_transforms.empty();
  }
  /// The options of a library call; refers to this object.
  divot::batch batch() const;
  /// Whether the mask leaves row i in.
  bool is_valid(divot::index i) const { return mask.empty() || mask[std::size_t(i)] != 0; }
};

/// Every file that is read.
std::vector<std::string> files_of(input_options const& options);

/// Reads every file and checks types, shapes, labels and options.
problem read_problem(input_options const& options);

/// Names the file, row and column of the first value that no loss is defined for (NaN, +inf, a row
/// of −inf), and how many rows are bad, and throws. Returns if there is no such value.
void throw_bad_logits(problem const& inputs);

}  // namespace cli
