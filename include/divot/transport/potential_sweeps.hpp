// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/transport/passes.hpp>

#include <Eigen/Core>

#include <cmath>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Sinkhorn's sweeps on potentials, beside those of scaled_kernel: no memory for a kernel, and an
/// exponential an entry.
///
/// T: what rows are worked out in. Potentials are kept in double; in float what they come to is
/// right to some 1e-7 of the costs' range, and somebody in double has to look at it again.
template <class T, execution_policy Policy>
class potential_sweeps {
 public:
  using passes = plan_passes<Policy>;
  using vector = typename passes::vector;
  /// Costs, in units of ε, whose differences float can tell.
  static constexpr double range = 60;
  static constexpr bool may_give_up = std::is_same_v<T, float>;

  /// `balance`: with penalties, a constant goes from one side's potentials to the other's.
  potential_sweeps(passes const& over, transport_marginals const& to, vector& f, vector& g,
                   bool balance)
      : over_(over), to_(to), f_(f), g_(g), balance_(balance) {
    excess_ = vector::Zero(f.size());
  }

  bool rows(vector& sums, over_relaxation const& relaxed) {
    over_.template best_rows<T>(
        to_, g_, f_, sums,
        [&](Eigen::Index i, double, T*, double beyond) {
          excess_(i) = to_.a(i) * std::abs(std::expm1(beyond));
        },
        relaxed);
    return true;
  }
  double row_error() const { return excess_.sum(); }
  bool columns(vector const& sums, over_relaxation const& relaxed) {
    over_.best_columns(to_, f_, sums, g_, relaxed);
    if (balance_) g_.array() -= to_.balancing_shift(f_, g_);
    return true;
  }
  void leave(vector&, vector&) const {}

 private:
  passes const& over_;
  transport_marginals const& to_;
  vector &f_, &g_;
  bool balance_;
  vector excess_;  // of each row, how far from its mass it is
};

}  // namespace DIVOT_ABI
}  // namespace divot
