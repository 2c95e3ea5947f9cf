// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/transport/costs.hpp>

#include <Eigen/Core>

#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// log of masses; one logarithm where all are equal, as they mostly are.
template <class Vector>
Vector log_masses(Vector const& masses) {
  if (masses.size() > 0 && masses.minCoeff() == masses.maxCoeff()) {
    return Vector::Constant(masses.size(), std::log(masses(0)));
  }
  return masses.array().log();
}

/// What a problem's plan must, or should, have in its rows and columns, and ε.
struct transport_marginals {
  transport_vector a, b;  // positive
  double epsilon = 1;
  double row_penalty = HUGE_VAL, column_penalty = HUGE_VAL;
  bool turned = false;  // the rows are what the caller calls columns

  bool exact() const { return std::isinf(row_penalty) && std::isinf(column_penalty); }
  transport_marginals transposed() const {
    return {b, a, epsilon, column_penalty, row_penalty, !turned};
  }
  /// Where both sides' masses are kept exactly a constant may be moved between the potentials: it
  /// is chosen so that Σ b g̃ = 0, of the caller's columns.
  template <class Vector>
  void settle(Vector& f, Vector& g) const {
    if (!exact()) return;
    Vector const &masses = turned ? a : b, &x = turned ? f : g;
    double const mean = masses.dot(x - epsilon * log_masses<Vector>(masses)) / masses.sum();
    g.array() += turned ? mean : -mean;
    f.array() += turned ? -mean : mean;
  }
  /// The masses that these potentials ask for: a and b, unless missing them has a price.
  template <class Vector>
  Vector wanted_rows(Vector const& f) const {
    return wanted(a, f, row_penalty);
  }
  template <class Vector>
  Vector wanted_columns(Vector const& g) const {
    return wanted(b, g, column_penalty);
  }
  /// What part of a step that would keep the rows' (columns') masses exactly their penalty takes.
  double row_part() const { return part_of(row_penalty); }
  double column_part() const { return part_of(column_penalty); }
  /// ρ(1 − e^(−x/ρ)), −ρ KL's conjugate: x where masses are kept exactly.
  static double reward(double x, double penalty) {
    return std::isinf(penalty) ? x : -penalty * std::expm1(-x / penalty);
  }
  /// λ for which f + λ and g − λ ask rows and columns for the same mass, the best constant to move
  /// between them. Sweeps take about ρ/ε of themselves to get there.
  template <class Vector>
  double balancing_shift(Vector const& f, Vector const& g) const {
    double const per_shift = 1 / row_penalty + 1 / column_penalty;
    return (log_of_wanted(a, f, row_penalty) - log_of_wanted(b, g, column_penalty)) / per_shift;
  }

 private:
  double part_of(double penalty) const {
    return std::isinf(penalty) ? 1 : penalty / (penalty + epsilon);
  }
  template <class Vector>
  Vector wanted(Vector const& masses, Vector const& potentials, double penalty) const {
    if (std::isinf(penalty)) return masses;
    auto const own = potentials.array() - epsilon * masses.array().log();
    return masses.array() * (-own / penalty).exp();
  }
  /// log Σ a e^(−f̃/ρ)
  template <class Vector>
  double log_of_wanted(Vector const& masses, Vector const& potentials, double penalty) const {
    if (std::isinf(penalty)) return std::log(masses.sum());
    auto const logs = masses.array().log();
    Vector const all = logs - (potentials.array() - epsilon * logs) / penalty;
    double const largest = all.maxCoeff();
    return largest + std::log((all.array() - largest).exp().sum());
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
