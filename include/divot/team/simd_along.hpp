// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/team/reduce.hpp>
#include <divot/team/xsimd_lanes.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Packs along a row. One worker, or several that share a row in fixed blocks.
///
/// Lanes count from column 0 of a block, so results depend on column numbers alone: not on
/// addresses, and not on the number of workers. simd and omp run this same team.
template <class T>
class simd_along {
 public:
  using scalar = T;
  using lane = pack<T>;
  using row = double;
  using accumulator = lane;
  using position = index;
  using traits = lane_traits<lane>;
  static constexpr bool across = false;
  static constexpr bool one_block = false;
  static constexpr bool widest = false;
  static constexpr double low = -std::numeric_limits<double>::infinity();
  static constexpr index width = static_cast<index>(traits::size);

  simd_along() = default;
  /// Worker `me` of `workers`; `barrier` waits for all of them.
  simd_along(index me, index workers, void (*barrier)())
      : me_(me), workers_(workers), barrier_(barrier) {}

  class full_place {
   public:
    static constexpr bool may_be_masked = false;
    static constexpr bool is_rare = false;
    explicit full_place(index at) : at_(at) {}
    DIVOT_INLINE lane load(T const* x, double) const { return traits::load(x + at_); }
    DIVOT_INLINE void store(T* x, lane const& v) const { traits::store(x + at_, v); }
    DIVOT_INLINE void stream(T* x, lane const& v) const { traits::stream(x + at_, v); }
    DIVOT_INLINE lane keep(lane const& v) const { return v; }
    DIVOT_INLINE void prefetch(T const* x) const { __builtin_prefetch(x + at_); }

   private:
    index at_;
  };

  /// A pack of which some lanes are not there: past the end, or the class to leave out.
  class masked_place {
   public:
    static constexpr bool may_be_masked = true;
    static constexpr bool is_rare = true;
    masked_place(index at, index count, index hole)
        : at_(at),
          present_((std::uint32_t(2) << (count - 1)) - 1),
          here_(hole >= at && hole < at + count ? present_ & ~(std::uint32_t(1) << (hole - at))
                                                : present_) {}
    DIVOT_INLINE lane load(T const* x, double fill) const {
      return traits::load_some(x + at_, here_, static_cast<T>(fill));
    }
    DIVOT_INLINE void store(T* x, lane const& v) const { traits::store_some(x + at_, present_, v); }
    DIVOT_INLINE void stream(T* x, lane const& v) const { store(x, v); }
    DIVOT_INLINE lane keep(lane const& v) const { return traits::keep_some(here_, v); }
    /// What follows the end, too.
    DIVOT_INLINE void prefetch(T const* x) const {
      __builtin_prefetch(x + at_);
      __builtin_prefetch(x + at_ + width);
    }

   private:
    index at_;
    std::uint32_t present_, here_;  // a bit a lane, from the lowest
  };

  template <class Body>
  void blocks(index count, Body const& body) const {
    for (index b = me_; b < count; b += workers_) body(b);
    if (workers_ > 1) barrier_();
  }

  /// body(place) for every pack of [first, first + count).
  template <class Body>
  static DIVOT_INLINE void each(index first, index count, Body const& body) {
    index const last = first + count, full = first + count / width * width;
    for (index k = first; k < full; k += width) body(full_place(k));
    if (full < last) body(masked_place(full, last - full, -1));
  }
  /// The same with one class left out. The loop over full packs has no call in it, so its numbers
  /// stay in registers; the pack with the hole and the tail come in between.
  template <class Body>
  static DIVOT_INLINE void each_but(index first, index count, position hole, Body const& body) {
    index const last = first + count, full = first + count / width * width;
    index const holed = hole >= first && hole < full ? hole - (hole - first) % width : full;
    for (index k = first; k < last;) {
      index const stop = k <= holed ? holed : full;
      for (; k < stop; k += width) body(full_place(k));
      if (k < last) {
        body(masked_place(k, last - k < width ? last - k : width, hole));
        k += width;
      }
    }
  }
  /// The same where every class that is there is finite.
  template <class Body>
  static DIVOT_INLINE void each_finite_but(index first, index count, position hole,
                                           Body const& body) {
    each_but(first, count, hole, body);
  }

  /// For reductions that need several accumulators to hide their latency: body(place, i) with i a
  /// compile-time number below 4 that says which one to use.
  template <class Body>
  static DIVOT_INLINE void each_of_four(index first, index count, Body const& body) {
    index const last = first + count;
    index k = first;
    for (; k + 4 * width <= last; k += 4 * width) {
      body(full_place(k), std::integral_constant<int, 0>());
      body(full_place(k + width), std::integral_constant<int, 1>());
      body(full_place(k + 2 * width), std::integral_constant<int, 2>());
      body(full_place(k + 3 * width), std::integral_constant<int, 3>());
    }
    each(k, last - k, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      body(place, std::integral_constant<int, 0>());
    });
  }

  /// Whether whole packs of x may be streamed.
  static bool may_stream(T const* x) { return traits::is_aligned(x); }
  /// Makes other threads see what was streamed.
  static void settle_streams() { traits::settle_streams(); }

  static row sum(accumulator const& x) { return reduce<T>::sum(x); }
  static void sums(accumulator const (&x)[8], row (&out)[8]) { reduce<T>::sums(x, out); }
  static T largest(lane const& x) { return reduce<T>::largest(x); }
  static T smallest(lane const& x) { return reduce<T>::smallest(x); }
  /// Where the first element stands that equals `value`; there is one.
  static position find(T const* x, row value, index first, index count) {
    lane const wanted = lane(static_cast<T>(value));
    index k = first;
    while (k + width <= first + count && !traits::any(traits::load(x + k) == wanted)) k += width;
    while (x[k] != static_cast<T>(value)) ++k;
    return k;
  }
  /// Where the first of the largest elements stands, how many there are, and what the exponentials
  /// of the others add up to.
  struct maxima {
    position first;
    row count, rest;
  };
  static maxima count_maxima(T const* x, row largest, T const* e, index first, index count) {
    lane const top = lane(static_cast<T>(largest));
    index found = -1, k = first;
    lane const nothing(T(0));
    lane numbers[4] = {nothing, nothing, nothing, nothing};
    lane rests[4] = {nothing, nothing, nothing, nothing};
    each_of_four(first, count, [&](auto const& place, auto i) DIVOT_LAMBDA_INLINE {
      auto const one = place.load(x, low) == top;
      if (found < 0 && traits::any(one)) found = k;
      k += width;
      numbers[i] += traits::select(one, lane(T(1)), nothing);
      rests[i] += traits::select(one, nothing, place.load(e, 0));
    });
    for (; found >= 0 && found < first + count && x[found] != static_cast<T>(largest); ++found) {
    }
    return {found, sum((numbers[0] + numbers[1]) + (numbers[2] + numbers[3])),
            sum((rests[0] + rests[1]) + (rests[2] + rests[3]))};
  }
  static row at(T const* x, position k) { return static_cast<double>(x[k]); }
  static void store_at(T* x, position k, row v) { x[k] = static_cast<T>(v); }
  static void add_at(T* x, position k, row v) { x[k] += static_cast<T>(v); }

 private:
  index me_ = 0;
  index workers_ = 1;
  void (*barrier_)() = nullptr;
};

}  // namespace DIVOT_ABI
}  // namespace divot
