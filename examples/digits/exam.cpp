// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "exam.hpp"

#include <algorithm>
#include <divot/divot.hpp>
#include <numeric>

namespace digits {

exam::exam(dataset test, matrix teacher_logits)
    : test_(std::move(test)), teacher_(std::move(teacher_logits)) {
  roles_.setConstant(test_.size(), classes, role::easy);
  for (Eigen::Index i = 0; i < test_.size(); ++i) {
    auto const target = test_.labels[static_cast<std::size_t>(i)];
    std::array<Eigen::Index, classes> order;
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return teacher_(i, a) > teacher_(i, b); });
    int hard = 0;
    for (auto const c : order) {
      if (c == target) {
        roles_(i, c) = role::target;
      } else if (hard++ < hard_classes) {
        roles_(i, c) = role::hard;
      }
    }
  }
}

grades exam::grade(matrix const& student_logits) const {
  matrix log_q(test_.size(), classes);
  divot::log_softmax(divot::simd, student_logits, log_q);
  auto const images = static_cast<double>(test_.size());

  grades result;
  result.kl = divot::value(divot::kl{}, teacher_, student_logits);
  for (Eigen::Index i = 0; i < test_.size(); ++i) {
    Eigen::Index answer = 0, teachers = 0;
    log_q.row(i).maxCoeff(&answer);
    teacher_.row(i).maxCoeff(&teachers);
    result.accuracy += answer == test_.labels[static_cast<std::size_t>(i)];
    result.agreement += answer == teachers;
    for (Eigen::Index c = 0; c < classes; ++c) {
      double const q = std::exp(static_cast<double>(log_q(i, c)));
      result.entropy -= q > 0 ? q * static_cast<double>(log_q(i, c)) : 0;
      result.mass[static_cast<std::size_t>(role_of(i, c))] += q;
    }
  }
  result.accuracy *= 100 / images;
  result.agreement *= 100 / images;
  result.entropy /= images;
  for (double& each : result.mass) each /= images;
  return result;
}

}  // namespace digits
