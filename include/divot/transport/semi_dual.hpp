// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace divot {
inline namespace DIVOT_ABI {

/// log P = (f⊕g − C)/ε.
template <class Cost, class F, class G, class T>
auto log_plan(Cost const& cost, F const& f, G const& g, T epsilon) {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> exponent = -cost;
  exponent.colwise() += f;
  exponent.rowwise() += g.transpose();
  exponent /= epsilon;
  return exponent;
}

/// A plan's coupling of its columns, c_j δ_jk − Σ_i P_ij P_ik / r_i, without its last row and
/// column: minus ε times the semi-dual's second derivative, and the Schur complement of the linear
/// system that implicit gradients solve.
///
/// It is the Laplacian of a graph. Its diagonal is therefore added up from the other entries, of
/// which each is positive: where the plan is nearly an assignment, c_j − Σ P²/r has no digits left.
template <class T>
class column_coupling {
 public:
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  using vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  /// plan: rows × columns; r: its row sums, or what they are meant to be.
  column_coupling(matrix const& plan, vector const& r) : plan_(plan) {
    shares_ = plan.array().colwise() / r.array();
    matrix m = plan.transpose() * shares_;
    m = (T(.5) * (m + m.transpose())).eval();
    m.diagonal().setZero();
    Eigen::Index const n = m.cols() - 1;
    vector const diagonal = m.colwise().sum().head(n);
    matrix laplacian = -m.topLeftCorner(n, n);
    // a pivot that is nothing but rounding holds a column in its place
    for (double lift = 0; lift < 1e-2; lift = lift == 0 ? 1e-15 : 100 * lift) {
      laplacian.diagonal() = (1 + lift) * diagonal;
      laplacian.diagonal().array() += 1e-300;
      factor_.compute(laplacian);
      if (solved()) return;
    }
  }

  bool solved() const { return factor_.info() == Eigen::Success; }

  /// The solution whose last entry is 0; the right-hand side adds up to 0.
  vector solve(vector const& right) const {
    vector x = vector::Zero(right.size());
    if (right.size() > 1) {
      x.head(right.size() - 1) = factor_.solve(right.head(right.size() - 1));
    }
    return x;
  }

  /// Σ_i P_ij C_ij − Σ_i P_ij s_i/r_i for the rows' s_i = Σ_j P_ij C_ij, from what the columns'
  /// costs differ by: where the coupling is weak this is as small, and no difference of large sums.
  vector right_of(matrix const& cost) const {
    matrix m = plan_.cwiseProduct(cost).transpose() * shares_;
    m.diagonal().setZero();
    return m.rowwise().sum() - m.colwise().sum().transpose();
  }

 private:
  matrix plan_, shares_;  // P and P/r
  Eigen::LLT<matrix> factor_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
