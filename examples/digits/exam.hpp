// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "data.hpp"

#include <array>

namespace digits {

/// What a student gives its probability to. Hard classes are the wrong ones that the teacher finds
/// likeliest, easy ones the rest.
enum class role { target, hard, easy };
constexpr int roles = 3;
constexpr int hard_classes = 2;

/// How a student does on the test images. Probabilities at temperature 1, entropies in nats.
struct grades {
  double accuracy = 0;   ///< right answers, in percent
  double agreement = 0;  ///< the teacher's answer, in percent
  double kl = 0;         ///< KL(teacher ‖ student), mean over images
  double entropy = 0;
  std::array<double, roles> mass = {};  ///< mean probability given to each role
};

/// The test images with everything that grading needs, computed once.
class exam {
 public:
  exam(dataset test, matrix teacher_logits);

  dataset const& test() const { return test_; }
  matrix const& teacher() const { return teacher_; }
  role role_of(Eigen::Index image, Eigen::Index c) const { return roles_(image, c); }

  grades grade(matrix const& student_logits) const;

 private:
  dataset test_;
  matrix teacher_;
  Eigen::Array<role, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> roles_;
};

}  // namespace digits
