// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "exam.hpp"
#include "losses.hpp"
#include "network.hpp"
#include "progress.hpp"

#include <vector>

namespace digits {

/// How teacher and students are trained. The same for every loss: Adam's steps do not depend on the
/// scale of the gradient, so no loss needs a learning rate of its own.
struct settings {
  int seeds = 12;

  int teacher_width = 128;  ///< of each of its two hidden layers
  int teacher_epochs = 60;
  int teacher_batch = 64;
  double teacher_rate = 0.003;
  double teacher_noise = 0.2;

  int student_width = 8;      ///< of its only hidden layer
  int images_per_digit = 10;  ///< all that a student ever sees
  int epochs = 200;
  int batch = 25;
  double rate = 0.01;  ///< constant for the first half, then falling linearly to 0
  double noise = 0.5;  ///< standard deviation of what is added to the pixels, anew every time

  int steps() const { return epochs * images_per_digit * classes / batch; }
};

/// What all students of one seed see, whatever their loss: every batch in order, with its noise.
struct lesson {
  unsigned seed = 0;
  matrix images;  ///< (steps · batch) × pixels
  std::vector<std::int64_t> labels;
  matrix teacher;         ///< the teacher's logits for these very images
  matrix second_teacher;  ///< and another one's
};

struct student_run {
  std::vector<grades> curve;  ///< at checkpoints(settings)
  double microseconds = 0;    ///< median time of one call of the loss, with its gradient
};

/// One loss with all its students.
struct trained {
  digits::loss loss;
  std::vector<student_run> runs;
};

network train_teacher(dataset const& train, settings const& how, unsigned seed = 1);

std::vector<lesson> prepare_lessons(dataset const& train, network& teacher, network& second,
                                    settings const& how);

/// Steps after which a student is graded, the last one included; closer together at the start.
std::vector<int> checkpoints(settings const& how);

/// A student after the first `steps` steps.
network train_student(loss const& what, lesson const& from, settings const& how, int steps);

/// Every loss with every seed, on all processors.
std::vector<trained> train_students(std::vector<loss> const& losses,
                                    std::vector<lesson> const& lessons, exam const& test,
                                    settings const& how, progress& shown);

}  // namespace digits
