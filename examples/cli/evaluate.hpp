// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "inputs.hpp"
#include "logits.hpp"
#include "spec.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cli {

/// A policy of the library that this build has, and its number of threads.
class execution {
 public:
  /// From --policy and --threads. No policy: omp if there is a number of threads, else simd.
  explicit execution(input_options const& options);
  ~execution();

  std::string const& name() const { return name_; }
  int threads() const { return threads_; }
  struct policy;
  policy const& get() const { return *policy_; }

 private:
  std::string name_;
  int threads_ = 1;
  std::unique_ptr<policy> policy_;
};

/// Fails where `what` is asked for and there is no teacher.
void check_teacher(std::string const& what, input_options const& inputs);

/// Reads what --loss says, and checks that the inputs have what it needs.
std::vector<loss_part> parse_loss(std::string const& text, input_options const& inputs);

/// What is wanted beyond the value and the student's gradient.
struct wanted {
  bool teacher_gradient = false;
  bool per_row = false;
  std::int64_t repeat = 1;
};

template <class Storage>
struct outcome {
  double loss = 0;
  divot::index valid_rows = 0;
  matrix<arithmetic<Storage>> gradient, teacher_gradient;
  std::vector<double> per_row;
  double seconds = 0;  ///< median over the repeats, reading and writing files apart
};

/// Evaluates a loss: one call of the library for each term, whose values, rows' losses and
/// gradients add up. The library's own sums take one read and one write of the logits for all terms
/// but are put together at compile time, and this one is known at run time only. `out` may be that
/// of an earlier call, whose memory is used again.
template <class Storage>
void evaluate(std::vector<loss_part> const& parts, problem const& inputs,
              logits_set<Storage> const& logits, execution const& how, wanted const& want,
              outcome<Storage>& out);

}  // namespace cli
