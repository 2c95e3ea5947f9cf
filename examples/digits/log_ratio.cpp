// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "log_ratio.hpp"

#include <algorithm>
#include <cmath>
#include <divot/divot.hpp>

namespace digits {

log_ratios step_and_measure(loss const& what, exam const& test,
                            std::vector<Eigen::Index> const& images, matrix const& logits) {
  matrix teacher(logits.rows(), classes), gradient(logits.rows(), classes);
  dataset const shown = select(test.test(), images);
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    teacher.row(i) = test.teacher().row(images[static_cast<std::size_t>(i)]);
  }
  what.value_and_gradient(teachers(teacher), shown.labels, logits, gradient);

  matrix log_q(logits.rows(), classes), q(logits.rows(), classes);
  divot::log_softmax(divot::simd, logits, log_q);
  divot::softmax(divot::simd, logits, q);
  // the loss is a mean over images: a step for each image's own loss is as many times longer
  matrix prediction = -static_cast<float>(logits.rows()) * gradient;
  matrix const direction = prediction;
  prediction.colwise() -= q.cwiseProduct(direction).rowwise().sum();

  log_ratios result;
  auto const largest = static_cast<double>(prediction.cwiseAbs().reshaped().maxCoeff());
  result.rate = log_ratio_span / std::max(largest, 1e-30);

  matrix log_q_after(logits.rows(), classes);
  divot::log_softmax(divot::simd, logits + static_cast<float>(result.rate) * direction,
                     log_q_after);
  double products = 0, squares = 0;
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    for (Eigen::Index c = 0; c < classes; ++c) {
      log_ratio const each{test.role_of(images[static_cast<std::size_t>(i)], c),
                           result.rate * static_cast<double>(prediction(i, c)),
                           static_cast<double>(log_q_after(i, c) - log_q(i, c))};
      result.largest_gap = std::max(result.largest_gap, std::abs(each.measured - each.predicted));
      products += each.predicted * each.measured;
      squares += each.predicted * each.predicted;
      result.classes.push_back(each);
    }
  }
  result.slope = products / squares;
  return result;
}

}  // namespace digits
