// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/team/xsimd_lanes.hpp>

#include <array>
#include <cmath>
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
  static constexpr index width = static_cast<index>(traits::size);
  static constexpr position nowhere() { return -1; }

  simd_along() = default;
  /// Worker `me` of `workers`; `barrier` waits for all of them.
  simd_along(index me, index workers, void (*barrier)())
      : me_(me), workers_(workers), barrier_(barrier) {}

  class full_place {
   public:
    static constexpr bool may_be_masked = false;
    explicit full_place(index at) : at_(at) {}
    DIVOT_INLINE lane load(T const* x, double) const { return traits::load(x + at_); }
    DIVOT_INLINE void store(T* x, lane const& v) const { traits::store(x + at_, v); }
    DIVOT_INLINE lane keep(lane const& v) const { return v; }
    DIVOT_INLINE void prefetch(T const* x) const { __builtin_prefetch(x + at_); }

   private:
    index at_;
  };

  /// A pack of which some lanes are not there: past the end, or the class to leave out.
  class masked_place {
   public:
    static constexpr bool may_be_masked = true;
    masked_place(index at, index count, index hole) : at_(at), count_(count), hole_(hole) {}
    lane load(T const* x, double fill) const {
      std::array<T, traits::size> a;
      for (index i = 0; i < width; ++i) {
        a[static_cast<std::size_t>(i)] = here(i) ? x[at_ + i] : static_cast<T>(fill);
      }
      return traits::load(a.data());
    }
    void store(T* x, lane const& v) const {
      auto const a = traits::to_array(v);
      for (index i = 0; i < count_; ++i) x[at_ + i] = a[static_cast<std::size_t>(i)];
    }
    lane keep(lane const& v) const {
      auto a = traits::to_array(v);
      for (index i = 0; i < width; ++i) {
        if (!here(i)) a[static_cast<std::size_t>(i)] = T(0);
      }
      return traits::load(a.data());
    }
    void prefetch(T const*) const {}

   private:
    bool here(index i) const { return i < count_ && at_ + i != hole_; }
    index at_, count_, hole_;
  };

  template <class Body>
  void blocks(index count, Body const& body) const {
    for (index b = me_; b < count; b += workers_) body(b);
    if (workers_ > 1) barrier_();
  }

  /// body(place) for every pack of [first, first + count). The loop over full packs has no call in
  /// it, so its numbers stay in registers; the pack with the hole and the tail come in between.
  template <class Body>
  static DIVOT_INLINE void each(index first, index count, position hole, Body const& body) {
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
    each(k, last - k, nowhere(), [&](auto const& place) DIVOT_LAMBDA_INLINE {
      body(place, std::integral_constant<int, 0>());
    });
  }

  static row sum(accumulator const& x) {
    auto const a = traits::to_array(x);
    double s = 0;
    for (T const v : a) s += static_cast<double>(v);
    return s;
  }
  static T largest(lane const& x) {
    auto const a = traits::to_array(x);
    T m = a[0];
    for (T const v : a) m = m < v ? v : m;
    return m;
  }
  static T smallest(lane const& x) {
    auto const a = traits::to_array(x);
    T m = a[0];
    for (T const v : a) m = v < m ? v : m;
    return m;
  }
  static position find(T const* x, index first, index count, T value) {
    index const last = first + count;
    index k = first;
    for (; k + width <= last; k += width) {
      if (xsimd::any(traits::load(x + k) == lane(value))) break;
    }
    for (; k < last; ++k) {
      if (x[k] == value) return k;
    }
    return nowhere();
  }
  static row at(T const* x, position k) { return static_cast<double>(x[k]); }
  static void add_at(T* x, position k, row v) { x[k] += static_cast<T>(v); }

 private:
  index me_ = 0;
  index workers_ = 1;
  void (*barrier_)() = nullptr;
};

}  // namespace DIVOT_ABI
}  // namespace divot
