// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/exec/large_pages.hpp>
#include <divot/family/ground.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace divot {
struct transport_gradient;
inline namespace DIVOT_ABI {

using transport_vector = Eigen::VectorXd;
using transport_matrix = Eigen::MatrixXd;
using transport_rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The same, named in a template after its own parameter: what is made of them is looked at where
/// it is used, and a program that includes the headers alone does not compile half of Eigen.
template <class>
struct transport_types {
  using number = double;
  using vector = transport_vector;
  using matrix = transport_matrix;
  using rows = transport_rows;
  using gradient = transport_gradient;
};

/// Places of rows or columns that count; all of them, in order, where none was left out.
using transport_places = std::vector<Eigen::Index>;

/// Eigen 3.4's `all`, which has another name in Eigen 5.
inline auto every(Eigen::Index count) { return Eigen::seqN(Eigen::Index(0), count); }

/// Costs held as a matrix of float or double. Copies share it.
template <class T>
class dense_costs {
 public:
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using scalar = T;
  static constexpr bool has_points = false;
  dense_costs() = default;
  explicit dense_costs(matrix&& costs) : costs_(std::make_shared<matrix>(std::move(costs))) {}
  template <class C>
  explicit dense_costs(Eigen::DenseBase<C> const& costs) {
    auto own = std::make_shared<matrix>(costs.rows(), costs.cols());
    use_large_pages(own->data(), static_cast<std::size_t>(own->size()) * sizeof(T));
    *own = costs.derived().template cast<T>();
    costs_ = std::move(own);
  }

  Eigen::Index rows() const { return costs_ ? costs_->rows() : 0; }
  Eigen::Index cols() const { return costs_ ? costs_->cols() : 0; }
  /// Row i in the team's type. `spare`: room for one, where it has to be made.
  template <class Team>
  typename Team::scalar const* row(Eigen::Index i, typename Team::scalar* spare) const {
    using U = typename Team::scalar;
    T const* const own = costs_->data() + i * cols();
    if constexpr (std::is_same_v<T, U>) {
      return own;
    } else {
      for (Eigen::Index j = 0; j < cols(); ++j) spare[j] = static_cast<U>(own[j]);
      return spare;
    }
  }
  dense_costs transposed() const { return dense_costs(costs_->transpose()); }
  dense_costs part(transport_places const& rows, transport_places const& columns) const {
    return dense_costs((*costs_)(rows, columns));
  }
  /// The same costs less `lowest`, one of them.
  dense_costs from(double lowest) const {
    return dense_costs(costs_->array() - static_cast<T>(lowest));
  }

 private:
  std::shared_ptr<matrix const> costs_;
};

/// Points as costs are computed from them, in T: rows × coordinates, and coordinates × columns.
template <class T>
struct point_pairs {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> x, across;
};

/// Costs between two sets of points, a row of each at a time: never a matrix.
template <class Ground>
class point_costs {
 public:
  using scalar = double;
  static constexpr bool has_points = true;
  static constexpr bool has_slopes = ground_cost<Ground>;
  using vector = typename transport_types<Ground>::vector;
  using row_list = typename transport_types<Ground>::rows;
  point_costs() = default;
  /// x: rows × coordinates; y: columns × coordinates. `narrow`: they came in float or less.
  point_costs(Ground ground, row_list x, row_list y, bool narrow)
      : ground_(ground), narrow_(narrow) {
    if constexpr (normalises<Ground>) {
      normalise(x, x_lengths_, "row");
      normalise(y, y_lengths_, "column");
    }
    points_.x = std::move(x);
    points_.across = y.transpose();
    if constexpr (!has_slopes) y_ = std::move(y);
    narrow_points();
  }

  Eigen::Index rows() const { return points_.x.rows(); }
  Eigen::Index cols() const { return points_.across.cols(); }
  Eigen::Index coordinates() const { return points_.x.cols(); }
  /// Whether the points came in float or less.
  bool narrow() const { return narrow_; }

  /// Row i in the team's type; in float of narrow points alone.
  template <class Team>
  typename Team::scalar const* row(Eigen::Index i, typename Team::scalar* spare) const {
    using T = typename Team::scalar;
    using lane = typename Team::lane;
    Eigen::Index const m = cols(), d = coordinates();
    if constexpr (has_slopes) {
      point_pairs<T> const& own = points<T>();
      T const* const x = own.x.data() + i * d;
      Team::each(0, m, [&](auto const& place) DIVOT_LAMBDA_INLINE {
        lane sum(T(0));
        T const* y = own.across.data();
        for (Eigen::Index k = 0; k < d; ++k, y += m) {
          sum += ground_term(ground_, lane(lane(x[k]) - place.load(y, 0)));
        }
        place.store(spare, ground_cost_of(ground_, sum));
      });
    } else {
      Eigen::Map<vector const> const from(points_.x.data() + i * d, d);
      for (Eigen::Index j = 0; j < m; ++j) {
        Eigen::Map<vector const> const to(y_.data() + j * d, d);
        spare[j] = static_cast<T>(turned_ ? ground_(to, from) : ground_(from, to));
      }
    }
    return spare;
  }
  /// Whether a matrix of them, read again and again, is the faster way where there is room for it:
  /// the more coordinates a cost takes, the dearer it is to work out three times and more.
  bool are_dear() const { return coordinates() >= 48; }
  /// All of them as a matrix, four rows and some columns' points at a time. Of ground costs alone.
  template <class Team, class Blocks>
  auto in_memory(Blocks const& blocks) const {
    using lane = typename Team::lane;
    constexpr Eigen::Index width = 64;
    Eigen::Index const m = cols(), d = coordinates();
    row_list all(rows(), m);
    use_large_pages(all.data(), static_cast<std::size_t>(all.size()) * sizeof(double));
    blocks.each([&](Eigen::Index first, Eigen::Index last, int) {
      std::vector<double> tile(static_cast<std::size_t>(d * width));
      for (Eigen::Index j = 0; j < m; j += width) {
        Eigen::Index const count = std::min(width, m - j);
        for (Eigen::Index k = 0; k < d; ++k) {
          std::copy_n(points_.across.data() + k * m + j, count, tile.data() + k * width);
        }
        for (Eigen::Index i = first; i < last; i += 4) {
          double const* x[4];
          double* to[4];
          for (Eigen::Index r = 0; r < 4; ++r) {  // those that are not there are the last again
            Eigen::Index const own = std::min(i + r, last - 1);
            x[r] = points_.x.data() + own * d;
            to[r] = all.data() + own * m + j;
          }
          Team::each(0, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
            lane sums[4] = {lane(0.), lane(0.), lane(0.), lane(0.)};
            for (Eigen::Index k = 0; k < d; ++k) {
              lane const y = place.load(tile.data() + k * width, 0);
              for (int r = 0; r < 4; ++r) sums[r] += ground_term(ground_, lane(lane(x[r][k]) - y));
            }
            for (int r = 0; r < 4; ++r) place.store(to[r], ground_cost_of(ground_, sums[r]));
          });
        }
      }
    });
    return dense_costs<typename transport_types<Ground>::number>(std::move(all));
  }
  point_costs transposed() const {
    point_costs other = *this;
    other.points_ = {points_.across.transpose(), points_.x.transpose()};
    if constexpr (!has_slopes) other.y_ = points_.x;
    other.x_lengths_.swap(other.y_lengths_);
    other.turned_ = !turned_;
    other.narrow_points();
    return other;
  }
  point_costs part(transport_places const& rows, transport_places const& columns) const {
    point_costs some = *this;
    auto const all = every(coordinates());
    some.points_ = {points_.x(rows, all), points_.across(all, columns)};
    if constexpr (!has_slopes) some.y_ = y_(columns, all);
    if constexpr (normalises<Ground>) {
      some.x_lengths_ = x_lengths_(rows).eval();
      some.y_lengths_ = y_lengths_(columns).eval();
    }
    some.narrow_points();
    return some;
  }
  /// Costs of points are used as they are.
  point_costs const& from(double) const { return *this; }

  /// The cost of a way as long in every coordinate as the points lie apart there: none is dearer.
  double bound() const {
    if constexpr (std::is_same_v<Ground, ground::cosine>) {
      return 2;
    } else if constexpr (has_slopes) {
      double sum = 0;
      for (Eigen::Index k = 0; k < coordinates(); ++k) {
        auto const x = points_.x.col(k), y = points_.across.row(k).transpose();
        double const low = std::min(x.minCoeff(), y.minCoeff());
        double const high = std::max(x.maxCoeff(), y.maxCoeff());
        sum += ground_term(ground_, high - low);
      }
      return ground_cost_of(ground_, sum);
    } else {
      return HUGE_VAL;
    }
  }

  /// From ∂L/∂C_i· to ∂L/∂x_i, through the costs of row i. `w` is used up.
  template <class Team>
  void pull_back(Eigen::Index i, double const* costs, double* w, double* out) const {
    using lane = typename Team::lane;
    Eigen::Index const m = cols(), d = coordinates();
    Team::each(0, m, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      place.store(w, lane(place.load(w, 0) * ground_factor(ground_, place.load(costs, 1))));
    });
    for (Eigen::Index k = 0; k < d; ++k) {
      lane const own(points_.x(i, k));
      lane sums[4] = {lane(0.), lane(0.), lane(0.), lane(0.)};
      double const* const y = points_.across.data() + k * m;
      Team::each_of_four(0, m, [&](auto const& place, auto s) DIVOT_LAMBDA_INLINE {
        sums[s] += place.keep(
            lane(place.load(w, 0) * ground_slope(ground_, lane(own - place.load(y, 0)))));
      });
      out[k] = Team::sum(lane((sums[0] + sums[1]) + (sums[2] + sums[3])));
    }
    if constexpr (normalises<Ground>) {
      Eigen::Map<vector> g(out, d);
      vector const unit = points_.x.row(i).transpose();
      g = ((g - g.dot(unit) * unit) / x_lengths_(i)).eval();
    }
  }

 private:
  static void normalise(row_list& points, vector& lengths, char const* what) {
    lengths = points.rowwise().stableNorm();
    for (Eigen::Index i = 0; i < points.rows(); ++i) {
      if (!(lengths(i) > 0)) fail("points: ", what, " ", i, " is 0: it has no cosine");
      points.row(i) /= lengths(i);
    }
  }

  template <class T>
  point_pairs<T> const& points() const {
    if constexpr (std::is_same_v<T, float>) {
      return in_float_;
    } else {
      return points_;
    }
  }
  void narrow_points() {
    if constexpr (has_slopes) {
      if (!narrow_) return;
      in_float_ = {points_.x.template cast<float>(), points_.across.template cast<float>()};
    }
  }

  Ground ground_{};
  point_pairs<typename transport_types<Ground>::number> points_;
  point_pairs<float> in_float_;  // of narrow ones
  row_list y_;                   // columns × coordinates, for functions of two points
  vector x_lengths_, y_lengths_;
  bool narrow_ = false, turned_ = false;
};

}  // namespace DIVOT_ABI
}  // namespace divot
