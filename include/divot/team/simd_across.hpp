// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/team/xsimd_lanes.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Rows across lanes: each lane walks a row of its own, for rows too short to fill packs.
///
/// Works on a transposed panel: class k of all rows stands at x[k * width ...]. Row-level values
/// are packs too, so the row functions are the same as for any other team.
template <class T>
class simd_across {
 public:
  using scalar = T;
  using lane = pack<T>;
  using row = lane;
  using accumulator = lane;
  using position = lane;  // the column number, one a lane
  using traits = lane_traits<lane>;
  static constexpr bool across = true;
  static constexpr index width = static_cast<index>(traits::size);
  static position nowhere() { return lane(T(-1)); }

  class place {
   public:
    static constexpr bool may_be_masked = true;
    DIVOT_INLINE place(index at, position const& hole)
        : at_(at), left_out_(hole == lane(static_cast<T>(at))) {}
    DIVOT_INLINE lane load(T const* x, double fill) const {
      return traits::select(left_out_, lane(static_cast<T>(fill)), traits::load(x + at_ * width));
    }
    DIVOT_INLINE void store(T* x, lane const& v) const { traits::store(x + at_ * width, v); }
    DIVOT_INLINE lane keep(lane const& v) const { return traits::select(left_out_, lane(T(0)), v); }
    DIVOT_INLINE void prefetch(T const*) const {}

   private:
    index at_;
    mask_of<lane> left_out_;
  };

  template <class Body>
  void blocks(index count, Body const& body) const {
    for (index b = 0; b < count; ++b) body(b);
  }
  template <class Body>
  static DIVOT_INLINE void each(index first, index count, position const& hole, Body const& body) {
    for (index k = first; k < first + count; ++k) body(place(k, hole));
  }

  /// As `each`, for reductions with four accumulators elsewhere; one serves here.
  template <class Body>
  static void each_of_four(index first, index count, Body const& body) {
    each(first, count, nowhere(),
         [&](auto const& place) { body(place, std::integral_constant<int, 0>()); });
  }

  static row sum(accumulator const& x) { return x; }
  static lane largest(lane const& x) { return x; }
  static lane smallest(lane const& x) { return x; }
  static position find(T const* x, index first, index count, lane const& value) {
    lane found = nowhere();
    for (index k = first + count; k-- > first;) {
      found = traits::select(traits::load(x + k * width) == value, lane(static_cast<T>(k)), found);
    }
    return found;
  }
  static row at(T const* x, position const& k) {
    auto const columns = traits::to_array(k);
    auto values = columns;
    for (std::size_t i = 0; i < traits::size; ++i) {
      auto const column = static_cast<index>(columns[i]);
      values[i] = column < 0 ? T(0) : x[column * width + static_cast<index>(i)];
    }
    return traits::load(values.data());
  }
  static void add_at(T* x, position const& k, row const& v) {
    auto const columns = traits::to_array(k);
    auto const values = traits::to_array(v);
    for (std::size_t i = 0; i < traits::size; ++i) {
      auto const column = static_cast<index>(columns[i]);
      if (column >= 0) x[column * width + static_cast<index>(i)] += values[i];
    }
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
