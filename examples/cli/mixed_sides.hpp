// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "logits.hpp"
#include "spec.hpp"

#include <cmath>
#include <limits>

namespace cli {

/// Row by row log softmax(x/T).
template <class Wide>
matrix<Wide> log_softmax(matrix<Wide> const& x, double temperature) {
  matrix<Wide> out(x.rows(), x.cols());
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    Wide const top = x.row(i).maxCoeff();
    Wide sum = 0;
    for (Eigen::Index k = 0; k < x.cols(); ++k) {
      out(i, k) = (x(i, k) - top) / Wide(temperature);
      sum += std::exp(out(i, k));
    }
    out.row(i).array() -= std::log(sum);
  }
  return out;
}

/// The logarithms of a·p + b·q, a and b the side's: exactly log p where p and q are the same bits.
template <class Wide>
matrix<Wide> log_of_side(mixed_side const& side, matrix<Wide> const& log_p,
                         matrix<Wide> const& log_q) {
  if (side.is_teacher()) return log_p;
  if (side.is_student()) return log_q;
  auto const a = Wide(side.of_teacher), b = Wide(side.of_student);
  return log_p.binaryExpr(log_q, [a, b](Wide const& p, Wide const& q) -> Wide {
    // from the larger one on
    if (std::max(p, q) == -std::numeric_limits<Wide>::infinity()) return p;
    return p >= q ? p + std::log1p(b * std::expm1(q - p)) : q + std::log1p(a * std::expm1(p - q));
  });
}

/// From the gradient with respect to the logits of a side to the part that a distribution's logits,
/// at temperature 1, have in it: `weight` and `log_q` are the distribution's, `log_m` the side's.
///
///   ω_k = g_k·weight q_k/m_k,  gradient ω_k − q_k Σω
template <class Wide>
void add_share(matrix<Wide> const& g, double weight, matrix<Wide> const& log_q,
               matrix<Wide> const& log_m, matrix<Wide>& sum) {
  if (weight == 0) return;
  if (weight == 1) {
    sum += g;
    return;
  }
  matrix<Wide> omega(1, g.cols());
  for (Eigen::Index i = 0; i < g.rows(); ++i) {
    Wide total = 0;
    for (Eigen::Index k = 0; k < g.cols(); ++k) {
      bool const is_there = log_q(i, k) > -std::numeric_limits<Wide>::infinity();
      omega(0, k) = is_there ? g(i, k) * Wide(weight) * std::exp(log_q(i, k) - log_m(i, k)) : 0;
      total += omega(0, k);
    }
    // beside infinite slopes, which g has weighed against each other already, others do not count
    if (!std::isfinite(total)) total = 0;
    for (Eigen::Index k = 0; k < g.cols(); ++k) {
      sum(i, k) += omega(0, k) - std::exp(log_q(i, k)) * total;
    }
  }
}

}  // namespace cli
