// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/core/options.hpp>
#include <divot/core/transforms.hpp>
#include <divot/row/block.hpp>
#include <divot/row/own_classes.hpp>

#include <array>
#include <cmath>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// y = (x − m)/sd over the n classes of a row that are not −inf, sd² = Σ(x − m)²/(n − 1).
///
///   ∂/∂x_k = (g_k − mean g − y_k Σ g y/(n − 1))/sd,   g = ∂/∂y
///
/// A row whose classes are all equal has no scale: y = 0, and the gradient is 0. Deviations are
/// taken from the largest class before anything is summed, so that neither a large common part of a
/// row nor a small spread costs a digit.
/// Ref  Sun, Ren, Li, Wang and Cao (2024), Logit standardization in knowledge distillation
template <class Team>
class standardise_row {
 public:
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using row = typename Team::row;
  static constexpr bool keeps = true, reads = true;

  void check(index, index, batch const&, index, char const*) const {}

  DIVOT_HD void apply(T* x, index classes, index) const { standardise(x, classes); }

  DIVOT_HD T record(T* x, index classes, index, T* kept) const {
    T const inverse = standardise(x, classes);
    each_class<Team>(classes, [&](index k) DIVOT_LAMBDA_INLINE { kept[k] = x[k]; });
    return inverse;
  }
  DIVOT_HD T record_only(T* x, index classes, index r, T* kept) const {
    return record(x, classes, r, kept);
  }

  DIVOT_HD void pull(T* g, index classes, index, T const* y, T const& inverse_sd) const {
    lane const low = -infinity<lane>(), nothing(T(0));
    auto const present = [&](auto const& place, T const* of) DIVOT_LAMBDA_INLINE {
      return math::select(place.load(y, -inf) == low, nothing, place.load(of, 0));
    };
    auto const [n, total, product] = sums<3>(classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const there = present(place, g);
      lane const one = math::select(place.load(y, -inf) == low, nothing, lane(T(1)));
      return std::array<lane, 3>{one, there, lane(there * present(place, y))};
    });
    if (!is_finite_number(total)) {
      // infinite slopes count as equally large, and beside them others do not count
      T const most(static_cast<T>(inf));
      each_class<Team>(classes, [&](index k) DIVOT_LAMBDA_INLINE {
        g[k] = g[k] == most ? T(1) : g[k] == -most ? T(-1) : T(0);
      });
      pull(g, classes, 0, y, inverse_sd);
      each_class<Team>(classes, [&](index k) DIVOT_LAMBDA_INLINE {
        if (g[k] != T(0)) g[k] = g[k] < T(0) ? -most : most;
      });
      return;
    }
    bool const flat = inverse_sd == T(0);
    lane const mean = spread<lane>(flat ? row(0) : row(total / n));
    lane const slope = spread<lane>(flat ? row(0) : row(product / (n - row(1))));
    lane const inverse(inverse_sd);
    Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const at = place.load(y, 0), there = present(place, g);
      lane const moved = lane(lane(there - mean) - lane(present(place, y) * slope));
      place.store(g, math::select(at == low, nothing, lane(moved * inverse)));
    });
  }

 private:
  static constexpr double inf = std::numeric_limits<double>::infinity();

  /// Σ f over the row's places, block by block: N sums at once.
  template <std::size_t N, class F>
  DIVOT_HD static std::array<row, N> sums(index classes, F const& f) {
    std::array<row, N> totals;
    totals.fill(row(0));
    for (index b = 0; b < block_count<Team>(classes); ++b) {
      std::array<typename Team::accumulator, N> parts;
      parts.fill(typename Team::accumulator(T(0)));
      Team::each(b * block_columns, block_length<Team>(classes, b),
                 [&](auto const& place) DIVOT_LAMBDA_INLINE {
                   auto const values = f(place);
                   for (std::size_t i = 0; i < N; ++i) parts[i] += values[i];
                 });
      for (std::size_t i = 0; i < N; ++i) totals[i] = row(totals[i] + Team::sum(parts[i]));
    }
    return totals;
  }

  /// y in place of x; returns 1/sd, 0 for a constant row.
  DIVOT_HD static T standardise(T* x, index classes) {
    lane const low = -infinity<lane>(), nothing(T(0));
    lane tops = low, bottoms = infinity<lane>();
    Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const a = place.load(x, -inf);
      tops = math::max(tops, a);
      bottoms = math::min(bottoms, lane(math::select(a == low, lane(-low), a)));
    });
    T const top = Team::largest(tops), bottom = Team::smallest(bottoms);
    if (!(bottom < top)) return flatten(x, classes);

    // in units of a power of two near the range: squares neither overflow nor vanish
    lane const unit(inverse_unit(T(top - bottom)));
    lane const from(top);
    auto const deviation = [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const a = place.load(x, -inf);
      return math::select(a == low, nothing, lane(lane(a - from) * unit));
    };
    auto const [n, total] = sums<2>(classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const one = math::select(place.load(x, -inf) == low, nothing, lane(T(1)));
      return std::array<lane, 2>{one, deviation(place)};
    });
    lane const middle = spread<lane>(row(total / n));
    row const squares = sums<1>(classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const d = math::select(place.load(x, -inf) == low, nothing, deviation(place) - middle);
      return std::array<lane, 1>{lane(d * d)};
    })[0];
    row const inverse = row(math::sqrt(row((n - row(1)) / squares)));
    lane const scale = spread<lane>(inverse);
    Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const y = lane(lane(deviation(place) - middle) * scale);
      place.store(x, math::select(place.load(x, 0) == low, low, y));
    });
    return T(T(inverse) * inverse_unit(T(top - bottom)));
  }

  DIVOT_HD static T flatten(T* x, index classes) {
    each_class<Team>(classes, [&](index k) DIVOT_LAMBDA_INLINE {
      if (is_finite_number(x[k])) x[k] = T(0);
    });
    return T(0);
  }

  /// 2^−e for a range in [2^e, 2^(e+1)); 1 for scalars that are no built-in type.
  DIVOT_HD static T inverse_unit(T const& range) {
    if constexpr (is_real<T>) {
      int const e = std::ilogb(range);
      constexpr int most = std::numeric_limits<T>::max_exponent - 2;
      return std::ldexp(T(1), -(e < -most ? -most : e));
    } else {
      return T(1);
    }
  }
};

template <class Team>
DIVOT_HD standardise_row<Team> bind_transform(standardise_transform) {
  return {};
}

}  // namespace DIVOT_ABI
}  // namespace divot
