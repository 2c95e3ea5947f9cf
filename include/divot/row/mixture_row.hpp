// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/row/block.hpp>

#include <cmath>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// One teacher's part of a row of a mixture: its largest logit, and Σ exp((x − max)/T). A row with
/// NaN or +inf in it, or nothing but −inf, is not usable.
template <class Team>
struct mixture_share {
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using row = typename Team::row;

  mixture_share(T const* x, index classes, double temperature) : inverse(T(T(1) / T(temperature))) {
    lane tops = -infinity<lane>(), bad(T(0));
    Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const a = place.load(x, low);
      bad = math::select(a < infinity<lane>(), bad, lane(T(1)));
      tops = math::max(tops, a);
    });
    T const top = Team::largest(tops);
    usable = !(Team::largest(bad) > T(0)) && is_finite_number(top);
    max = lane(top);
  }

  /// Σ of the exponentials; with Store they take x's place, and `small` says whether one of a class
  /// that is there is so small that its share may lose digits.
  template <bool Store>
  row exponentiate(std::conditional_t<Store, T, T const>* x, index classes) {
    row sum(0);
    lane tiny(T(0));
    for (index b = 0; b < block_count<Team>(classes); ++b) {
      typename Team::accumulator part(T(0));
      Team::each(b * block_columns, block_length<Team>(classes, b),
                 [&](auto const& place) DIVOT_LAMBDA_INLINE {
                   lane const a = place.load(x, low), y = math::exp(scaled(a));
                   part += y;
                   if constexpr (Store) {
                     place.store(x, y);
                     lane const there = math::select(a == -infinity<lane>(), lane(T(1)), y);
                     tiny = math::select(there < constant<lane>(1e-250), lane(T(1)), tiny);
                   }
                 });
      sum = row(sum + Team::sum(part));
    }
    small = Team::largest(tiny) > T(0);
    return sum;
  }
  DIVOT_INLINE lane scaled(lane const& x) const { return lane(lane(x - max) * inverse); }

  static constexpr double low = -std::numeric_limits<double>::infinity();
  bool usable = false, small = false;
  lane max{}, inverse;
};

/// What became of a row that was added to a mixture.
enum class mixed_in { fully, too_small, not_usable };

/// Adds w softmax(x/T) to a row of a mixture's probabilities, or begins it where it is the first (x
/// may be the row itself then). x is overwritten.
template <class Team, class T>
mixed_in mix_in(T* x, T* p, index classes, double temperature, double weight, bool first) {
  using lane = typename Team::lane;
  using row = typename Team::row;
  mixture_share<Team> share(x, classes, temperature);
  if (!share.usable) return mixed_in::not_usable;
  lane const scale = spread<lane>(row(row(weight) / share.template exponentiate<true>(x, classes)));
  Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const own = lane(place.load(x, 0) * scale);
    place.store(p, first ? own : lane(place.load(p, 0) + own));
  });
  bool const light = weight > 0 && weight < 1e-30;
  return share.small || light ? mixed_in::too_small : mixed_in::fully;
}

/// As mix_in, for logarithms: log p becomes log(p + w softmax(x/T)), however small. Twice as dear.
template <class Team, class T>
void mix_logarithms(T* x, T* log_p, index classes, double temperature, double weight, bool first) {
  using lane = typename Team::lane;
  using row = typename Team::row;
  mixture_share<Team> share(x, classes, temperature);
  row const sum = share.template exponentiate<false>(x, classes);
  lane const shift = spread<lane>(row(row(std::log(weight)) - math::log(sum)));
  Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const a = lane(share.scaled(place.load(x, 0)) + shift);
    lane const b = first ? a : place.load(log_p, 0);
    lane const most = math::max(a, b), least = math::min(a, b);
    lane const both = lane(most + math::log1p(math::exp(lane(least - most))));
    // a class that is −inf in both is not there
    place.store(log_p, first ? a : math::select(most == -infinity<lane>(), most, both));
  });
}

template <class Team, class T>
void take_logarithms(T* p, index classes) {
  Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    place.store(p, math::log(place.load(p, 1)));
  });
}

}  // namespace DIVOT_ABI
}  // namespace divot
