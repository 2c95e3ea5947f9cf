// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/kernel_rows.hpp>
#include <divot/transport/passes.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// Sinkhorn's sweeps on a kernel K = exp((F⊕G − C)/ε) in memory, the plan being diag(u) K diag(v):
/// no exponential after the first pass. Factors that grow out of range are taken into F and G, and
/// the kernel is made again.
///
/// T: float or double. In float nothing is made again: whoever gets there goes on in double.
template <class T, execution_policy Policy>
class scaled_kernel {
 public:
  using passes = plan_passes<Policy>;
  using team = row_team<Policy, T>;
  using vector = typename passes::vector;
  using matrix = typename passes::matrix;
  /// Costs, in units of ε, that may lie so far apart without F and G.
  static constexpr double range = std::is_same_v<T, float> ? 30 : 230;
  static constexpr bool may_give_up = std::is_same_v<T, float>;

  /// g: the columns' potentials to begin from. `plain`: they are 0, and the costs within range.
  scaled_kernel(passes const& over, transport_marginals const& to, vector const& g, bool plain)
      : over_(over), to_(to), absorb_(!plain), rows_(over.costs().rows()), columns_(g.size()) {
    kernel_ = std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(rows_ * columns_));
    u_.assign(static_cast<std::size_t>(rows_), T(1));
    excess_.assign(static_cast<std::size_t>(rows_), 0.);
    v_.assign(static_cast<std::size_t>(columns_), T(1));
    base_f_ = vector::Zero(rows_);
    base_g_ = g;
    if (plain) make();
  }

  bool has_absorbed() const { return absorbed_; }

  /// The rows' half of a sweep; sums: what each column then has. False where float has to give up.
  bool rows(vector& sums, over_relaxation const& relaxed) {
    std::fill(excess_.begin(), excess_.end(), 0.);
    if (!absorb_ && !scale_rows(sums, relaxed)) {
      if constexpr (may_give_up) return false;
      absorb_ = true;
    }
    if (absorb_) take_in(sums);
    return true;
  }
  /// Σ |P1 − a| after that.
  double row_error() const {
    double sum = 0;
    for (double const x : excess_) sum += x;
    return sum;
  }
  /// The columns' half, from what they have.
  bool columns(vector const& sums, over_relaxation const& relaxed) {
    bool near = true;
    for (Eigen::Index j = 0; j < columns_ && near; ++j) near = sums(j) > 1e-280;
    if (!near) {
      vector f(rows_), g(columns_);
      leave(f, g);
      over_.best_columns(to_, f, sums, g);
      base_g_ = g;
      std::fill(v_.begin(), v_.end(), T(1));
      absorb_ = true;
      return !may_give_up;
    }
    for (Eigen::Index j = 0; j < columns_; ++j) {
      T& v = v_[static_cast<std::size_t>(j)];
      double factor = to_.b(j) / sums(j);
      if (!relaxed.is_plain()) factor *= std::exp(relaxed.beyond(std::log(factor)));
      v = static_cast<T>(static_cast<double>(v) * factor);
      near = near && is_near(v);
    }
    if (!near) absorb_ = true;
    return near || !may_give_up;
  }
  /// The potentials.
  void leave(vector& f, vector& g) const {
    double const epsilon = over_.epsilon();
    for (Eigen::Index i = 0; i < rows_; ++i) {
      f(i) = base_f_(i) + epsilon * std::log(static_cast<double>(u_[static_cast<std::size_t>(i)]));
    }
    for (Eigen::Index j = 0; j < columns_; ++j) {
      g(j) = base_g_(j) + epsilon * std::log(static_cast<double>(v_[static_cast<std::size_t>(j)]));
    }
  }
  /// As plan_passes::totals, without exponentials.
  double totals(vector const&, vector const&, vector& rows, vector& columns) const {
    using lane = typename team::lane;
    matrix spare(columns_, over_.blocks().workers());
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> costs(columns_, over_.blocks().workers());
    vector paid(rows_);
    std::vector<T> partial;
    over_.blocks().add_up(
        partial, columns_, columns.data(),
        [&](Eigen::Index first, Eigen::Index last, int me, T* sums) {
          for (Eigen::Index i = first; i < last; ++i) {
            T const* const c = costs_row(i, spare.col(me).data(), costs.col(me).data());
            lane const u(u_[static_cast<std::size_t>(i)]);
            typename team::accumulator sum(T(0)), cost(T(0));
            team::each(0, columns_, [&](auto const& place) DIVOT_LAMBDA_INLINE {
              lane const p = u * place.load(kernel(i), 0) * place.load(v_.data(), 0);
              sum += p;
              cost += p * place.load(c, 0);
              place.store(sums, lane(place.load(sums, 0) + p));
            });
            rows(i) = static_cast<double>(team::sum(sum));
            paid(i) = static_cast<double>(team::sum(cost));
          }
        });
    return paid.sum();
  }

 private:
  static bool is_near(T x) {
    constexpr double limit = std::is_same_v<T, float> ? 1e13 : 1e100;
    return x < static_cast<T>(limit) && x > static_cast<T>(1 / limit);
  }
  T* kernel(Eigen::Index i) { return kernel_.get() + i * columns_; }
  T const* kernel(Eigen::Index i) const { return kernel_.get() + i * columns_; }

  T const* costs_row(Eigen::Index i, double* wide, T* spare) const {
    return over_.costs().row_as(i, wide, spare);
  }

  /// exp(−C/ε)
  void make() {
    using lane = typename team::lane;
    matrix spare(columns_, over_.blocks().workers());
    lane const factor(static_cast<T>(-1 / over_.epsilon()));
    over_.blocks().each([&](Eigen::Index first, Eigen::Index last, int me) {
      for (Eigen::Index i = first; i < last; ++i) {
        T* const k = kernel(i);
        T const* const c = costs_row(i, spare.col(me).data(), k);
        team::each(0, columns_, [&](auto const& place) DIVOT_LAMBDA_INLINE {
          place.store(k, math::exp(lane(place.load(c, 0) * factor)));
        });
      }
    });
  }
  /// u = a/(K v) and v∘(Kᵀ u). False where a factor leaves its range; u is then of no use.
  bool scale_rows(vector& sums, over_relaxation const& relaxed) {
    near_.assign(static_cast<std::size_t>(rows_), 1);
    over_.blocks().add_up(
        sums_, columns_, sums.data(), [&](Eigen::Index first, Eigen::Index last, int, T* partial) {
          for (Eigen::Index i = first; i < last; i += kernel_rows) {
            kernel_row_list<T const> const some(kernel_.get(), columns_, i, last);
            typename team::row products[kernel_rows];
            multiply_kernel_rows<team>(some, v_.data(), columns_, products);
            T own[kernel_rows] = {};
            for (Eigen::Index k = 0; k < some.count; ++k) {
              T& u = u_[static_cast<std::size_t>(i + k)];
              double best = to_.a(i + k) / static_cast<double>(products[k]);
              if (!relaxed.is_plain()) {
                double const further =
                    std::exp(relaxed.beyond(std::log(best / static_cast<double>(u))));
                excess_[static_cast<std::size_t>(i + k)] = to_.a(i + k) * std::abs(further - 1);
                best *= further;
              }
              u = own[k] = static_cast<T>(best);
              if (!is_near(own[k])) near_[static_cast<std::size_t>(i + k)] = 0;
            }
            add_kernel_rows<team>(some, own, columns_, partial);
          }
        });
    for (Eigen::Index j = 0; j < columns_; ++j) {
      sums(j) *= static_cast<double>(v_[static_cast<std::size_t>(j)]);
    }
    return std::find(near_.begin(), near_.end(), 0) == near_.end();
  }
  /// The same by potentials, which the kernel then stands for.
  void take_in(vector& sums) {
    for (Eigen::Index j = 0; j < columns_; ++j) {
      T& v = v_[static_cast<std::size_t>(j)];
      base_g_(j) += over_.epsilon() * std::log(static_cast<double>(v));
      v = T(1);
    }
    std::fill(u_.begin(), u_.end(), T(1));
    over_.best_rows(to_, base_g_, base_f_, sums,
                    [&](Eigen::Index i, double scale, double const* e, double) {
                      T* const k = kernel(i);
                      for (Eigen::Index j = 0; j < columns_; ++j) {
                        k[j] = static_cast<T>(scale * e[j]);
                      }
                    });
    absorb_ = false;
    absorbed_ = true;
  }

  passes const& over_;
  transport_marginals const& to_;
  bool absorb_, absorbed_ = false;
  Eigen::Index rows_, columns_;
  std::unique_ptr<T[]> kernel_;
  std::vector<T> u_, v_, sums_;
  std::vector<std::uint8_t> near_;  // of each row, whether its factor is within range
  std::vector<double> excess_;      // of each row, how far from its mass it is
  vector base_f_, base_g_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
