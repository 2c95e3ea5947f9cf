// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/log_softmax_lanes.hpp>

#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// Walks a row for its softmax, all workers together; false where it has none: NaN, +inf, or
/// nothing but −inf.
template <class Team>
DIVOT_HD bool settle_softmax(Team const& team, softmax_side<Team>& side) {
  team.blocks(block_count<Team>(side.classes()), [&](index b) {
    side.look(b);
    side.exponentiate(b);
  });
  bool const hopeless = side.hopeless();
  if (!hopeless) side.join();
  team.blocks(0, [](index) {});
  return !hopeless;
}

/// One row of softmax(x/T), or of its logarithm.
template <bool Log, class Team>
DIVOT_HD void write_softmax(Team const& team, softmax_side<Team> const& side,
                            typename Team::scalar* out) {
  using lane = typename Team::lane;
  team.blocks(block_count<Team>(side.classes()), [&](index b) {
    lane const scale = spread<lane>(side.block_scale(b));
    log_softmax_lanes<lane> const log_p(side);
    Team::each(b * block_columns, block_length<Team>(side.classes(), b),
               [&](auto const& place) DIVOT_LAMBDA_INLINE {
                 if constexpr (Log) {
                   place.store(out, log_p(place.load(side.data(), 0)));
                 } else {
                   place.store(out, lane(place.load(side.exponentials(), 0) * scale));
                 }
               });
  });
}

/// Sum over a row, but for the class `hole` (−1: none), of f(place) on lanes, block by block into
/// `partial`.
template <class Team, class F>
DIVOT_HD typename Team::row sum_over_row(Team const& team, index classes, index hole,
                                         typename Team::row* partial, F const& f) {
  using T = typename Team::scalar;
  using row = typename Team::row;
  team.blocks(block_count<Team>(classes), [&](index b) {
    typename Team::accumulator total(T(0));
    Team::each_but(b * block_columns, block_length<Team>(classes, b), hole,
                   [&](auto const& place) DIVOT_LAMBDA_INLINE { total += place.keep(f(place)); });
    partial[b] = Team::sum(total);
  });
  row total(0);
  for (index b = 0; b < block_count<Team>(classes); ++b) total = row(total + partial[b]);
  team.blocks(0, [](index) {});
  return total;
}

/// The place of the largest of a row's numbers, the first of equal ones.
template <class Team>
DIVOT_HD index largest_of(typename Team::scalar const* y, index classes) {
  if constexpr (lane_traits<typename Team::lane>::is_pack) {
    using lane = typename Team::lane;
    using T = typename Team::scalar;
    constexpr double low = -std::numeric_limits<double>::infinity();
    lane most(static_cast<T>(low));
    Team::each(0, classes, [&](auto const& place) { most = math::max(most, place.load(y, low)); });
    T const top = Team::largest(most);
    // of a row with NaN nothing need be found, if only nobody looks outside it
    if (!(top == top)) return 0;
    index const place = Team::find(y, typename Team::row(top), 0, classes);
    return place < classes ? place : 0;
  } else {
    index place = 0;
    for (index k = 1; k < classes; ++k) {
      if (y[place] < y[k]) place = k;
    }
    return place;
  }
}

/// x̄ = y ∘ (ȳ − ⟨ȳ, y⟩)/T for y = softmax(x/T).
///
/// Taken relative to the largest class: ȳ_k − ȳ_a, so that a saturated row keeps its small entries.
template <class Team>
DIVOT_HD void softmax_pullback_row(Team const& team, typename Team::scalar const* y,
                                   typename Team::scalar const* upstream, index classes,
                                   typename Team::row const& inverse_temperature,
                                   typename Team::row* partial, typename Team::scalar* out) {
  using lane = typename Team::lane;
  using row = typename Team::row;
  auto const reference = spread<lane>(row(Team::at(upstream, largest_of<Team>(y, classes))));
  row const mean =
      sum_over_row(team, classes, -1, partial, [&](auto const& place) DIVOT_LAMBDA_INLINE {
        return lane(place.load(y, 0) * (place.load(upstream, 0) - reference));
      });
  lane const shift = spread<lane>(mean), factor = spread<lane>(inverse_temperature);
  team.blocks(block_count<Team>(classes), [&](index b) {
    Team::each(b * block_columns, block_length<Team>(classes, b),
               [&](auto const& place) DIVOT_LAMBDA_INLINE {
                 lane const u = place.load(upstream, 0) - reference;
                 place.store(out, lane(place.load(y, 0) * (u - shift) * factor));
               });
  });
}

/// x̄ = (ȳ − e^y Σȳ)/T for y = log softmax(x/T).
///
/// For the largest class, where the two may nearly cancel: −expm1(y)·ȳ less e^y Σȳ of the others.
template <class Team>
DIVOT_HD void log_softmax_pullback_row(Team const& team, typename Team::scalar const* y,
                                       typename Team::scalar const* upstream, index classes,
                                       typename Team::row const& inverse_temperature,
                                       typename Team::row* partial, typename Team::scalar* out) {
  using lane = typename Team::lane;
  using row = typename Team::row;
  index const anchor = largest_of<Team>(y, classes);
  // read before anybody writes: the output may be either input
  row const log_p = Team::at(y, anchor), own = Team::at(upstream, anchor);
  row const rest = sum_over_row(team, classes, anchor, partial,
                                [&](auto const& place)
                                    DIVOT_LAMBDA_INLINE { return lane(place.load(upstream, 0)); });
  row const at_anchor =
      row((row(-math::expm1(log_p)) * own - math::exp(log_p) * rest) * inverse_temperature);
  lane const total = spread<lane>(row(rest + own)), factor = spread<lane>(inverse_temperature);
  team.blocks(block_count<Team>(classes), [&](index b) {
    Team::each(b * block_columns, block_length<Team>(classes, b),
               [&](auto const& place) DIVOT_LAMBDA_INLINE {
                 lane const p = math::exp(lane(place.load(y, 0)));
                 place.store(out, lane((place.load(upstream, 0) - p * total) * factor));
               });
    if (Team::one_block || anchor / block_columns == b) Team::store_at(out, anchor, at_anchor);
  });
}

/// x̄ = ȳ·softmax(x/T)/T for y = log Σ exp(x/T).
template <class Team>
DIVOT_HD void logsumexp_pullback_row(Team const& team, softmax_side<Team> const& side,
                                     typename Team::row const& upstream,
                                     typename Team::scalar* out) {
  using lane = typename Team::lane;
  using row = typename Team::row;
  team.blocks(block_count<Team>(side.classes()), [&](index b) {
    lane const scale =
        spread<lane>(row(side.block_scale(b) * upstream * side.inverse_temperature()));
    Team::each(b * block_columns, block_length<Team>(side.classes(), b),
               [&](auto const& place) DIVOT_LAMBDA_INLINE {
                 place.store(out, lane(place.load(side.exponentials(), 0) * scale));
               });
  });
}

}  // namespace DIVOT_ABI
}  // namespace divot
