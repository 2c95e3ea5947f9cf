// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <accuracy/quad.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace reference {

/// One row's softmax(logits / temperature), every class to full relative precision: a class of
/// probability 1 − 1e-60 has log_p = −1e-60, not 0.
struct side {
  std::vector<quad> logits;
  quad temperature = 1;
  std::vector<quad> p, log_p;
  std::size_t top = 0;  ///< the first class of the largest logit
  int ties = 0;         ///< how many classes have the largest logit
  quad log1p_tail = 0;  ///< log1p(Σ over the other classes of e^(x − max)/ties)

  void normalise() {
    std::size_t const n = logits.size();
    p.assign(n, 0);
    log_p.assign(n, 0);
    top = 0;
    for (std::size_t k = 1; k < n; ++k) {
      if (logits[k] > logits[top]) top = k;
    }
    ties = 0;
    quad tail = 0;
    for (std::size_t k = 0; k < n; ++k) {
      if (logits[k] == logits[top]) {
        ++ties;
        p[k] = 1;
      } else {
        log_p[k] = (logits[k] - logits[top]) / temperature;
        p[k] = is_infinite(log_p[k]) ? quad(0) : exp(log_p[k]);
        tail += p[k];
      }
    }
    quad const partition = ties + tail;
    log1p_tail = log1p(tail / ties);
    quad const log_partition = (ties == 1 ? quad(0) : log(quad(ties))) + log1p_tail;
    for (std::size_t k = 0; k < n; ++k) {
      p[k] /= partition;
      log_p[k] -= log_partition;
    }
  }
};

/// A teacher's and a student's row. Classes that are −inf on both sides are left out of it;
/// `classes` holds the numbers of those that remain.
struct row_pair {
  std::size_t width = 0;
  std::vector<std::size_t> classes;
  side teacher, student;
  std::vector<quad> ell;  ///< ln(p/q), ±infinity where one side is 0

  template <class T>
  row_pair(std::span<T const> teacher_logits, std::span<T const> student_logits,
           double teacher_temperature = 1, double student_temperature = 1)
      : width(student_logits.size()) {
    quad const lowest = -infinity;
    for (std::size_t k = 0; k < width; ++k) {
      quad const t = teacher_logits[k], s = student_logits[k];
      if (t == lowest && s == lowest) continue;
      classes.push_back(k);
      teacher.logits.push_back(t);
      student.logits.push_back(s);
    }
    teacher.temperature = teacher_temperature;
    student.temperature = student_temperature;
    teacher.normalise();
    student.normalise();
    ell.resize(classes.size());
    quad const ties =
        teacher.ties == student.ties ? quad(0) : log(quad(teacher.ties)) - log(quad(student.ties));
    quad const shift = ties + (teacher.log1p_tail - student.log1p_tail);
    for (std::size_t k = 0; k < ell.size(); ++k) {
      quad const t = (teacher.logits[k] - teacher.logits[teacher.top]) / teacher.temperature;
      quad const s = (student.logits[k] - student.logits[student.top]) / student.temperature;
      ell[k] = t - s - shift;
    }
  }

  /// The student takes the teacher's place and the teacher the student's.
  row_pair swapped() const {
    row_pair other = *this;
    std::swap(other.teacher, other.student);
    for (quad& x : other.ell) x = -x;
    return other;
  }

  std::size_t size() const { return classes.size(); }
  quad p(std::size_t k) const { return teacher.p[k]; }
  quad q(std::size_t k) const { return student.p[k]; }

  /// A vector over the classes that remain, as one over all of them: 0 elsewhere.
  std::vector<quad> spread(std::vector<quad> const& values) const {
    std::vector<quad> all(width, 0);
    for (std::size_t k = 0; k < values.size(); ++k) all[classes[k]] = values[k];
    return all;
  }
};

}  // namespace reference
