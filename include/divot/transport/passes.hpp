// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/row_blocks.hpp>
#include <divot/exec/teams.hpp>
#include <divot/row/dense_row.hpp>
#include <divot/transport/cost_rows.hpp>
#include <divot/transport/marginals.hpp>
#include <divot/transport/relaxation.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// What passes over a plan's rows work in.
template <class T>
struct pass_memory {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> spare;  // of each worker: a row of P and of C
  Eigen::Matrix<T, Eigen::Dynamic, 1> sums, potentials;
  Eigen::Matrix<double, Eigen::Dynamic, 1> ratios;

  /// Potentials in T.
  template <class Vector>
  T const* own(Vector const& g) {
    if constexpr (std::is_same_v<T, typename Vector::Scalar>) {
      return g.data();
    } else {
      potentials = g.template cast<T>();
      return potentials.data();
    }
  }
};

/// A plan P = exp((f⊕g − C)/ε) that is made a row at a time, where it is read: sums over its rows
/// and columns in one pass, rows shared by workers.
template <execution_policy Policy>
class plan_passes {
 public:
  using team = row_team<Policy, double>;
  using costs_type = cost_rows<team>;
  using vector = typename transport_types<Policy>::vector;
  using matrix = typename transport_types<Policy>::matrix;

  plan_passes(Policy const& policy, costs_type const& costs, double epsilon)
      : costs_(costs),
        blocks_(policy, costs.rows(), costs.cols()),
        epsilon_(epsilon),
        per_epsilon_(1 / epsilon) {}

  row_blocks<Policy> const& blocks() const { return blocks_; }
  costs_type const& costs() const { return costs_; }
  double epsilon() const { return epsilon_; }

  /// body(i, p, c): row i of the plan, which the body may use up, and of the costs.
  template <class Body>
  void each_row(vector const& f, vector const& g, Body const& body) const {
    make_room();
    blocks_.each([&](Eigen::Index first, Eigen::Index last, int me) {
      for (Eigen::Index i = first; i < last; ++i) visit(i, f, g, me, body);
    });
  }
  /// body(i, p, c, sums): the same, and sums, `width` of them, that are added up over all rows.
  template <class Body>
  void add_up(vector const& f, vector const& g, vector& total, Body const& body) const {
    make_room();
    blocks_.add_up(in_double_.sums, total.size(), total.data(),
                   [&](Eigen::Index first, Eigen::Index last, int me, double* sums) {
                     for (Eigen::Index i = first; i < last; ++i) {
                       visit(i, f, g, me, [&](Eigen::Index row, double* p, double const* c) {
                         body(row, p, c, sums);
                       });
                     }
                   });
  }

  /// body(first, last) when rows first … last − 1 of the plan stand in `plan`, `height` at a time;
  /// it may have more columns than are needed.
  template <class Body>
  void panels(vector const& f, vector const& g, Eigen::Index height,
              typename transport_types<Policy>::rows& plan, Body const& body) const {
    Eigen::Index const n = costs_.rows(), m = costs_.cols();
    make_room();
    for (Eigen::Index first = 0; first < n; first += height) {
      Eigen::Index const last = std::min(n, first + height);
      blocks_.deal(last - first, [&](Eigen::Index k, int me) {
        double* const p = plan.data() + k * plan.cols();
        double const* const c = costs_.row(first + k, in_double_.spare.col(me).data());
        plan_row<team>(f(first + k), g.data(), c, per_epsilon_, m, p);
      });
      body(first, last);
    }
  }

  /// The rows' half of a sweep: the best f for this g, or what lies beyond, and what each column
  /// then has. keep(i, s, e, y): row i of the plan is then s·e, and its potential ε y beyond the
  /// best. f: a guess, or anything. T: what the rows are worked out in.
  template <class T = double, class Keep>
  void best_rows(transport_marginals const& to, vector const& g, vector& f, vector& sums,
                 Keep const& keep, over_relaxation const& relaxed = {}) const {
    using workers_team = row_team<Policy, T>;
    double const part = to.row_part();
    Eigen::Index const m = costs_.cols();
    pass_memory<T>& memory = make_room<T>();
    T const* const potentials = memory.own(g);
    constexpr double most = std::is_same_v<T, float> ? 1e30 : 1e100;
    T const per_epsilon = static_cast<T>(per_epsilon_);
    bool const later = part == 1 && relaxed.is_plain();  // logarithms, all of them at once
    memory.ratios.resize(f.size());
    auto const row = [&](Eigen::Index i, T* e, T* partial) {
      T const* const c = costs_.row(i, e + m);
      // from the potential that is there, unless it is too far away
      T const from = static_cast<T>(f(i));
      double shift = static_cast<double>(from);
      double sum = static_cast<double>(
          summed_plan_row<workers_team>(from, potentials, c, per_epsilon, m, e));
      if (!(sum > 1 / most && sum < most)) {
        auto const found = exponentials_row<workers_team>(potentials, c, per_epsilon, m, e);
        shift = -epsilon_ * static_cast<double>(found.largest);
        sum = static_cast<double>(found.sum);
      }
      double scale = to.a(i) / sum, beyond = 0;
      if (later && scale > 1e-300 && scale < 1e300) {
        f(i) = shift;
        memory.ratios(i) = scale;
      } else {
        double const own = epsilon_ * std::log(to.a(i));
        double const exact = shift + own - epsilon_ * std::log(sum);
        beyond = relaxed.beyond((exact - f(i)) * per_epsilon_);
        f(i) = own + part * (exact - own) + epsilon_ * beyond;
        memory.ratios(i) = 1;
        if (part != 1) scale *= std::exp((f(i) - exact) * per_epsilon_);
        if (beyond != 0) scale *= std::exp(beyond);
      }
      add_multiple_row<workers_team>(static_cast<T>(scale), e, partial, m);
      keep(i, scale, e, beyond);
    };
    blocks_.add_up(memory.sums, m, sums.data(),
                   [&](Eigen::Index first, Eigen::Index last, int me, T* partial) {
                     T* const e = memory.spare.col(me).data();
                     for (Eigen::Index i = first; i < last; ++i) row(i, e, partial);
                   });
    if (later) f.array() += epsilon_ * memory.ratios.array().log();
  }
  void best_rows(transport_marginals const& to, vector const& g, vector& f, vector& sums) const {
    best_rows(to, g, f, sums, [](Eigen::Index, double, double*, double) {});
  }

  /// The columns' half, from what they have: the best g for this f. Where that is lost, below what
  /// a double can hold beside what the column should have, from the logarithms.
  void best_columns(transport_marginals const& to, vector const& f, vector const& sums, vector& g,
                    over_relaxation const& relaxed = {}) const {
    double const part = to.column_part();
    vector const logs = (to.b.array() / sums.array()).log();
    std::vector<Eigen::Index> lost;
    for (Eigen::Index j = 0; j < g.size(); ++j) {
      if (!(sums(j) > 1e-280 && std::isfinite(logs(j)))) {
        lost.push_back(j);
        continue;
      }
      g(j) += epsilon_ * logs(j);
      if (part != 1) {
        double const own = epsilon_ * std::log(to.b(j));
        g(j) = own + part * (g(j) - own);
      }
      if (!relaxed.is_plain()) g(j) += epsilon_ * relaxed.beyond(logs(j));
    }
    if (lost.empty()) return;
    vector const log_sums = column_log_sums(lost, f);
    for (std::size_t k = 0; k < lost.size(); ++k) {
      double const own = epsilon_ * std::log(to.b(lost[k]));
      g(lost[k]) = own - part * epsilon_ * log_sums(static_cast<Eigen::Index>(k));
    }
  }

  /// The plan's row sums, column sums, and ⟨P, C⟩.
  double totals(vector const& f, vector const& g, vector& rows, vector& columns) const {
    Eigen::Index const m = columns.size();
    vector paid(rows.size());
    add_up(f, g, columns, [&](Eigen::Index i, double const* p, double const* c, double* sums) {
      paid(i) = dot_row<team>(p, c, m);
      rows(i) = sum_row<team>(p, m);
      add_multiple_row<team>(1, p, sums, m);
    });
    return paid.sum();
  }

 private:
  /// Before workers begin; who only sweeps on a kernel needs none.
  template <class T = double>
  pass_memory<T>& make_room() const {
    pass_memory<T>& memory = this->template memory_of<T>();
    memory.spare.resize(2 * costs_.cols(), blocks_.workers());
    return memory;
  }
  template <class T>
  pass_memory<T>& memory_of() const {
    if constexpr (std::is_same_v<T, float>) {
      return in_float_;
    } else {
      return in_double_;
    }
  }

  template <class Body>
  void visit(Eigen::Index i, vector const& f, vector const& g, int me, Body const& body) const {
    Eigen::Index const m = costs_.cols();
    double* const p = in_double_.spare.col(me).data();
    double const* const c = costs_.row(i, p + m);
    plan_row<team>(f(i), g.data(), c, per_epsilon_, m, p);
    body(i, p, c);
  }

  /// log Σ_i exp((f_i − C_ij)/ε) of some columns.
  vector column_log_sums(std::vector<Eigen::Index> const& columns, vector const& f) const {
    auto const count = static_cast<Eigen::Index>(columns.size());
    vector largest = vector::Constant(count, -HUGE_VAL), sum = vector::Zero(count);
    make_room();
    for (Eigen::Index i = 0; i < costs_.rows(); ++i) {
      double const* const c = costs_.row(i, in_double_.spare.data());
      for (Eigen::Index k = 0; k < count; ++k) {
        double const x = (f(i) - c[columns[static_cast<std::size_t>(k)]]) * per_epsilon_;
        if (x > largest(k)) {
          sum(k) = sum(k) * std::exp(largest(k) - x) + 1;
          largest(k) = x;
        } else {
          sum(k) += std::exp(x - largest(k));
        }
      }
    }
    return largest.array() + sum.array().log();
  }

  costs_type costs_;
  row_blocks<Policy> blocks_;
  double epsilon_, per_epsilon_;
  mutable pass_memory<double> in_double_;
  mutable pass_memory<float> in_float_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
