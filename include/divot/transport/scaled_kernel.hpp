// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/kernel_rows.hpp>
#include <divot/transport/kernel_matrix.hpp>
#include <divot/transport/passes.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

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
  scaled_kernel(passes const& over, transport_marginals const& to, vector const& g, bool plain,
                transport_memory<Policy>& memory)
      : over_(over),
        to_(to),
        absorb_(!plain),
        rows_(over.costs().rows()),
        columns_(g.size()),
        kernel_(over.blocks(), rows_, columns_, memory.template of<T>()),
        base_f_(vector::Zero(rows_)),
        base_g_(g) {
    Eigen::Index const height = kernel_.padded(rows_), width = kernel_.padded(columns_);
    wanted_.setZero(height);
    wanted_.head(rows_) = to.a;
    u_.setZero(height);
    v_.setZero(width);
    next_v_.setZero(width);
    from_one();
    if (plain) make();
  }

  bool has_absorbed() const { return absorbed_; }

  /// The rows' half of a sweep; sums: what each column then has. False where float has to give up.
  bool rows(vector& sums, over_relaxation const& relaxed) {
    row_error_ = 0;
    if (!absorb_ && !scale_rows(sums, relaxed)) {
      if constexpr (may_give_up) return false;
      absorb_ = true;
    }
    if (absorb_) take_in(sums);
    return true;
  }
  /// Σ |P1 − a| after that.
  double row_error() const { return row_error_; }
  /// The columns' half, from what they have.
  bool columns(vector const& sums, over_relaxation const& relaxed) {
    double const *const own = sums.data(), *const wanted = to_.b.data();
    T const* const before = v_.data();
    T* const after = next_v_.data();
    if (relaxed.is_plain()) {
      for (Eigen::Index j = 0; j < columns_; ++j) {
        after[j] = static_cast<T>(static_cast<double>(before[j]) * (wanted[j] / own[j]));
      }
    } else {
      for (Eigen::Index j = 0; j < columns_; ++j) {
        double const factor = wanted[j] / own[j];
        double const further = std::exp(relaxed.beyond(std::log(factor)));
        after[j] = static_cast<T>(static_cast<double>(before[j]) * (factor * further));
      }
    }
    constexpr double lost = 1e-280;
    if (sums.minCoeff() > lost && are_near(after, columns_)) {
      v_.swap(next_v_);
      return true;
    }
    absorb_ = true;
    if ((sums.array() > lost).all()) {
      v_.swap(next_v_);
    } else {
      vector f(rows_), g(columns_);
      leave(f, g);
      over_.best_columns(to_, f, sums, g);
      base_g_ = g;
      v_.head(columns_).setOnes();
    }
    return !may_give_up;
  }
  /// The potentials.
  void leave(vector& f, vector& g) const {
    f = u_.head(rows_).template cast<double>();
    f = base_f_.array() + over_.epsilon() * f.array().log();
    g = v_.head(columns_).template cast<double>();
    g = base_g_.array() + over_.epsilon() * g.array().log();
  }
  /// As plan_passes::totals, without exponentials.
  double totals(vector const&, vector const&, vector& rows, vector& columns) const {
    auto const& costs = over_.costs();
    T const* const there = costs.template data<T>();
    Eigen::Index const workers = there != nullptr ? 0 : over_.blocks().workers();
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> spare(columns_ * kernel_rows, workers);
    using rows_list = typename kernel_matrix<T, Policy>::rows_list;
    vector paid(rows_);
    numbers partial;
    over_.blocks().add_up(
        partial, columns_, columns.data(),
        [&](Eigen::Index first, Eigen::Index last, int me, T* sums) {
          auto const costs_of = [&](Eigen::Index i, Eigen::Index count) {
            if (there != nullptr) return rows_list(there, columns_, i, last);
            T* const room = spare.col(me).data();
            for (Eigen::Index k = 0; k < count; ++k) {
              costs.row(i + k, room + k * columns_);
            }
            return rows_list(room, columns_, 0, count);
          };
          for (Eigen::Index i = first; i < last; i += kernel_rows) {
            Eigen::Index const count = std::min<Eigen::Index>(kernel_rows, last - i);
            T own[kernel_rows] = {};
            std::copy_n(u_.data() + i, count, own);
            rows_list const given = costs_of(i, count);
            typename team::row in_rows[kernel_rows], of_rows[kernel_rows];
            add_plan_rows<team>(kernel_.rows(i, last), given, own, v_.data(), columns_, in_rows,
                                of_rows, sums);
            for (Eigen::Index k = 0; k < count; ++k) {
              rows(i + k) = static_cast<double>(own[k]) * static_cast<double>(in_rows[k]);
              paid(i + k) = static_cast<double>(own[k]) * static_cast<double>(of_rows[k]);
            }
          }
        });
    return paid.sum();
  }

 private:
  using numbers = typename kernel_matrix<T, Policy>::numbers;

  /// By their bits, in whose order positive numbers are: neither what is negative nor a NaN is
  /// near.
  static bool are_near(T const* x, Eigen::Index count) {
    using bits = std::conditional_t<std::is_same_v<T, float>, std::int32_t, std::int64_t>;
    constexpr T limit = std::is_same_v<T, float> ? T(1e13) : T(1e100);
    bits lowest = std::bit_cast<bits>(T(1)), highest = lowest;
    for (Eigen::Index i = 0; i < count; ++i) {
      lowest = std::min(lowest, std::bit_cast<bits>(x[i]));
      highest = std::max(highest, std::bit_cast<bits>(x[i]));
    }
    return lowest > std::bit_cast<bits>(1 / limit) && highest < std::bit_cast<bits>(limit);
  }
  void from_one() {
    u_.head(rows_).setOnes();
    v_.head(columns_).setOnes();
  }

  /// exp(−C/ε)
  void make() {
    using lane = typename team::lane;
    lane const factor(static_cast<T>(-1 / over_.epsilon()));
    over_.blocks().each([&](Eigen::Index first, Eigen::Index last, int) {
      for (Eigen::Index i = first; i < last; ++i) {
        T* const k = kernel_.row(i);
        T const* const c = over_.costs().row(i, k);
        team::each(0, columns_, [&](auto const& place) DIVOT_LAMBDA_INLINE {
          place.store(k, math::exp(lane(place.load(c, 0) * factor)));
        });
      }
    });
    kernel_.filled();
  }
  /// u = a/(K v) and v∘(Kᵀ u). False where a factor leaves its range; u is then of no use.
  bool scale_rows(vector& sums, over_relaxation const& relaxed) {
    bool const plain = relaxed.is_plain();
    vector excess = vector::Zero(plain ? 0 : rows_);
    kernel_.there_and_back(
        v_.data(), sums.data(), [&](Eigen::Index first, auto const& products, auto& own) {
          double const* const wanted = wanted_.data() + first;
          double best[kernel_rows];
          for (Eigen::Index k = 0; k < kernel_rows; ++k) {
            best[k] = wanted[k] / static_cast<double>(products[k]);
          }
          Eigen::Index const count = std::min<Eigen::Index>(kernel_rows, rows_ - first);
          for (Eigen::Index k = 0; k < count && !plain; ++k) {
            double const before = static_cast<double>(u_(first + k));
            double const further = std::exp(relaxed.beyond(std::log(best[k] / before)));
            excess(first + k) = wanted[k] * std::abs(further - 1);
            best[k] *= further;
          }
          for (Eigen::Index k = 0; k < kernel_rows; ++k) own[k] = static_cast<T>(best[k]);
          std::copy_n(own, kernel_rows, u_.data() + first);
        });
    T const* const v = v_.data();
    double* const all = sums.data();
    for (Eigen::Index j = 0; j < columns_; ++j) all[j] *= static_cast<double>(v[j]);
    if (!are_near(u_.data(), rows_)) return false;
    row_error_ = excess.sum();
    return true;
  }
  /// The same by potentials, which the kernel then stands for.
  void take_in(vector& sums) {
    vector const factors = v_.head(columns_).template cast<double>();
    base_g_.array() += over_.epsilon() * factors.array().log();
    from_one();
    over_.best_rows(to_, base_g_, base_f_, sums,
                    [&](Eigen::Index i, double scale, double const* e, double) {
                      T* const k = kernel_.row(i);
                      for (Eigen::Index j = 0; j < columns_; ++j) {
                        k[j] = static_cast<T>(scale * e[j]);
                      }
                    });
    kernel_.filled();
    absorb_ = false;
    absorbed_ = true;
  }

  passes const& over_;
  transport_marginals const& to_;
  bool absorb_, absorbed_ = false;
  Eigen::Index rows_, columns_;
  kernel_matrix<T, Policy> kernel_;
  numbers u_, v_, next_v_;  // padded, as the kernel's products have them
  vector wanted_;           // the rows' masses, likewise
  double row_error_ = 0;    // Σ |P1 − a|
  vector base_f_, base_g_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
