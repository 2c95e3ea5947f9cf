// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "students.hpp"

#include "parallel.hpp"
#include "random.hpp"

#include <algorithm>
#include <chrono>
#include <divot/divot.hpp>
#include <numeric>

namespace digits {

namespace {

double rate_at(double rate, int step, int steps) {
  double const left = 1 - static_cast<double>(step) / steps;
  return rate * std::min(1., 2 * left);
}

void add_noise(matrix& images, double deviation, random_numbers& random) {
  for (float& pixel : images.reshaped<Eigen::RowMajor>())
    pixel += static_cast<float>(deviation * random.normal());
}

/// The same number of each digit.
dataset draw_images(dataset const& from, int per_digit, random_numbers& random) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(from.size())), chosen;
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  std::array<int, classes> count = {};
  for (auto const row : order) {
    auto const label = static_cast<std::size_t>(from.labels[static_cast<std::size_t>(row)]);
    if (count[label]++ < per_digit) chosen.push_back(row);
  }
  return select(from, chosen);
}

network new_student(lesson const& from, settings const& how) {
  return network({pixels, how.student_width, classes}, 1000 + from.seed);
}

/// Trains for `steps` steps and calls `after(step)` when each is done, with the time of the loss.
template <class After>
void follow(network& student, loss const& what, lesson const& from, settings const& how, int steps,
            After after) {
  using clock = std::chrono::steady_clock;
  matrix gradient(how.batch, classes);
  for (int step = 0; step < steps; ++step) {
    Eigen::Index const first = Eigen::Index{step} * how.batch;
    auto const images = from.images.middleRows(first, how.batch);
    teachers const both(from.teacher.middleRows(first, how.batch),
                        from.second_teacher.middleRows(first, how.batch));
    label_span const labels(from.labels.data() + first, static_cast<std::size_t>(how.batch));
    matrix const& logits = student.forward(images);

    auto const start = clock::now();
    what.value_and_gradient(both, labels, logits, gradient);
    std::chrono::duration<double, std::micro> const took = clock::now() - start;

    student.learn(images, gradient, rate_at(how.rate, step, how.steps()));
    after(step + 1, took.count());
  }
}

student_run train_and_grade(loss const& what, lesson const& from, exam const& test,
                            settings const& how, std::vector<int> const& when) {
  network student = new_student(from, how);
  student_run run;
  std::vector<double> times;
  auto next = when.begin();
  follow(student, what, from, how, how.steps(), [&](int step, double microseconds) {
    times.push_back(microseconds);
    if (step == *next) {
      run.curve.push_back(test.grade(student.forward(test.test().images)));
      ++next;
    }
  });
  auto const middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  run.microseconds = *middle;
  return run;
}

}  // namespace

network train_teacher(dataset const& train, settings const& how, unsigned seed) {
  network teacher({pixels, how.teacher_width, how.teacher_width, classes}, seed);
  random_numbers random(seed + 1);
  std::vector<Eigen::Index> order(static_cast<std::size_t>(train.size()));
  std::iota(order.begin(), order.end(), 0);
  auto const batch = static_cast<std::size_t>(how.teacher_batch);
  int const steps = how.teacher_epochs * static_cast<int>((order.size() + batch - 1) / batch);
  matrix gradient;
  int step = 0;
  for (int epoch = 0; epoch < how.teacher_epochs; ++epoch) {
    random.shuffle(order);
    for (std::size_t first = 0; first < order.size(); first += batch) {
      dataset shown =
          select(train, std::span(order).subspan(first, std::min(batch, order.size() - first)));
      add_noise(shown.images, how.teacher_noise, random);
      matrix const& logits = teacher.forward(shown.images);
      gradient.resize(logits.rows(), classes);
      divot::gradient(divot::cross_entropy{}, divot::labels(shown.labels), logits, gradient);
      teacher.learn(shown.images, gradient, rate_at(how.teacher_rate, step++, steps));
    }
  }
  return teacher;
}

std::vector<lesson> prepare_lessons(dataset const& train, network& teacher, network& second,
                                    settings const& how) {
  std::vector<lesson> lessons;
  for (int i = 0; i < how.seeds; ++i) {
    lesson each;
    each.seed = static_cast<unsigned>(i);
    random_numbers random(100 + each.seed);
    dataset const mine = draw_images(train, how.images_per_digit, random);
    std::vector<Eigen::Index> order(static_cast<std::size_t>(mine.size()));
    std::iota(order.begin(), order.end(), 0);
    each.images.resize(mine.size() * how.epochs, pixels);
    for (int epoch = 0; epoch < how.epochs; ++epoch) {
      random.shuffle(order);
      dataset const shown = select(mine, order);
      each.images.middleRows(epoch * mine.size(), mine.size()) = shown.images;
      each.labels.insert(each.labels.end(), shown.labels.begin(), shown.labels.end());
    }
    add_noise(each.images, how.noise, random);
    each.teacher = teacher.forward(each.images);
    each.second_teacher = second.forward(each.images);
    lessons.push_back(std::move(each));
  }
  return lessons;
}

std::vector<int> checkpoints(settings const& how) {
  std::vector<int> steps;
  for (double at = 1; at < how.steps(); at = std::max(at + 1, 1.13 * at)) {
    steps.push_back(static_cast<int>(at));
  }
  steps.push_back(how.steps());
  return steps;
}

network train_student(loss const& what, lesson const& from, settings const& how, int steps) {
  network student = new_student(from, how);
  follow(student, what, from, how, steps, [](int, double) {});
  return student;
}

std::vector<trained> train_students(std::vector<loss> const& losses,
                                    std::vector<lesson> const& lessons, exam const& test,
                                    settings const& how, progress& shown) {
  std::vector<trained> all;
  for (loss const& each : losses) all.push_back({each, std::vector<student_run>(lessons.size())});
  auto const when = checkpoints(how);
  parallel_for(losses.size() * lessons.size(), [&](std::size_t job) {
    auto const [l, s] = std::pair(job / lessons.size(), job % lessons.size());
    all[l].runs[s] = train_and_grade(losses[l], lessons[s], test, how, when);
    shown.advance(losses[l].name);
  });
  return all;
}

}  // namespace digits
