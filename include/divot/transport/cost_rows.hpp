// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/teams.hpp>
#include <divot/transport/costs.hpp>

#include <Eigen/Core>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Costs of any kind as those see them who read a row at a time: what solves a problem is compiled
/// once for all kinds. The costs themselves must outlive this.
///
/// Team: on double; computes the rows of costs between points
template <class Team>
class cost_rows {
 public:
  template <class Costs>
  explicit cost_rows(Costs const& costs)
      : costs_(&costs),
        rows_(costs.rows()),
        cols_(costs.cols()),
        computed_(Costs::has_points),
        in_memory_(Costs::has_points ? 0 : static_cast<int>(sizeof(typename Costs::scalar))),
        in_double_([](void const* of, Eigen::Index i, double* spare) {
          return static_cast<Costs const*>(of)->template row<Team>(i, spare);
        }),
        in_float_([](void const* of, Eigen::Index i, float* spare) {
          return static_cast<Costs const*>(of)->template row<team_in_float<Team>>(i, spare);
        }) {}

  Eigen::Index rows() const { return rows_; }
  Eigen::Index cols() const { return cols_; }
  /// Every row is computed where it is read.
  bool computed() const { return computed_; }
  /// All of them, row after row, where they are in memory as numbers of T; else null.
  template <class T>
  T const* data() const {
    if (in_memory_ != static_cast<int>(sizeof(T))) return nullptr;
    return row<T>(0, nullptr);
  }

  /// Row i in T, float or double; it may stand in `spare` then. In float: where nobody would see
  /// the digits that it lacks.
  template <class T>
  T const* row(Eigen::Index i, T* spare) const {
    if constexpr (std::is_same_v<T, float>) {
      return in_float_(costs_, i, spare);
    } else {
      return in_double_(costs_, i, spare);
    }
  }

 private:
  void const* costs_;
  Eigen::Index rows_, cols_;
  bool computed_;
  int in_memory_;  // the size of a cost there
  double const* (*in_double_)(void const*, Eigen::Index, double*);
  float const* (*in_float_)(void const*, Eigen::Index, float*);
};

}  // namespace DIVOT_ABI
}  // namespace divot
