// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// The rows that the accuracy tests run over, and what to call them in messages.

#include <accuracy/losses.hpp>
#include <accuracy/samples.hpp>

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace losses {

/// Rows of scale·T·N(0, 1) on both sides, a label for each.
template <class T>
problem<T> random_rows(std::uint64_t seed, std::size_t rows, std::size_t classes, double scale,
                       double temperature) {
  samples::random r(seed);
  problem<T> p{rows, classes, {}, {}, temperature, temperature};
  p.teacher = samples::logits<T>(r, rows * classes, scale * temperature);
  p.student = samples::logits<T>(r, rows * classes, scale * temperature);
  for (std::size_t i = 0; i < rows; ++i) {
    p.labels.push_back(static_cast<std::int64_t>(r.bits() % classes));
  }
  return p;
}

inline std::string random_name(std::uint64_t seed, double scale, double temperature) {
  std::ostringstream text;
  text << "seed " << seed << ", scale/T " << scale << ", T " << temperature;
  return text.str();
}

/// Rows of scale·N(0, 1) whose teacher is the student plus delta·N(0, 1) plus shift, rounded to T.
template <class T>
problem<T> converged_rows(std::uint64_t seed, std::size_t rows, std::size_t classes, double delta,
                          double shift, double scale = 1) {
  samples::random r(seed);
  problem<T> p{rows, classes, {}, samples::logits<T>(r, rows * classes, scale)};
  p.teacher = samples::beside(r, p.student, delta, shift);
  return p;
}

inline std::string converged_name(std::uint64_t seed, double delta, double shift,
                                  double scale = 1) {
  std::ostringstream text;
  text << "seed " << seed << ", scale " << scale << ", delta " << delta << ", shift " << shift;
  return text.str();
}

/// A list and the losses of labels.
inline std::vector<loss> with_labels(std::vector<loss> list) {
  list.push_back({kind::cross_entropy, 0, 0});
  list.push_back({kind::cross_entropy, 0.1, 0});
  list.push_back({kind::cross_entropy, 0.1, 1e-4});
  list.push_back({kind::z_loss});
  return list;
}

}  // namespace losses
