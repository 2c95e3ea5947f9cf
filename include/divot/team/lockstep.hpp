// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/team/lanes.hpp>

#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Which packs of a row are a thread's: begin, begin + step … below end.
struct thread_share {
  index begin, end, step;
};

/// Threads that walk a row together, each taking every so-manieth pack, all running the same lines:
/// what a CUDA block or cluster is. Each holds its own copy of the row's numbers, which are the
/// same on all threads, since every sum reaches all of them.
///
/// Group says who they are and how they meet; all of it is static:
///   thread_share share(packs)            the packs of a row that are this thread's
///   bool owns(pack)
///   void barrier()                       what one has written, the others see
///   R sum(R), largest(R), smallest(R)    of all threads, in a fixed tree, to all threads
///   R of_owner(R const*, bool)           what the one that says so finds there, to all threads
///
/// A row is one block: a thread's share of it is short. A pack belongs to the same thread in every
/// sweep, so what a thread has written to scratch only barriers, and never races, show to others.
template <class T, class Group>
class lockstep_team {
 public:
  using scalar = T;
  static constexpr index width = 16 / static_cast<index>(sizeof(T));
  using lane = lanes<T, static_cast<std::size_t>(width)>;
  using row = double;
  using accumulator = lane;
  using position = index;
  using traits = lane_traits<lane>;
  static constexpr bool across = false;
  static constexpr bool one_block = true;
  static constexpr bool widest = false;

  /// A pack, of which some lanes may not be there: past the end, or the class to leave out. One
  /// kind for all, or loops would have two bodies. Arrays are padded to whole packs, so that all of
  /// a pack may be read and written.
  class place {
   public:
    static constexpr bool may_be_masked = true;
    static constexpr bool is_rare = false;
    DIVOT_INLINE place(index at, index count, index hole)
        : at_(at),
          count_(count),
          hole_(hole - at),
          full_(count >= width && !(hole_ >= 0 && hole_ < width)) {}
    DIVOT_INLINE lane load(T const* x, double fill) const {
      lane v;
      T const* const from = static_cast<T const*>(__builtin_assume_aligned(x + at_, 16));
      for (index i = 0; i < width; ++i) v.each[i] = from[i];
      if (!full_) {
        for (index i = 0; i < width; ++i) {
          v.each[i] = here(i) ? v.each[i] : static_cast<T>(fill);
        }
      }
      return v;
    }
    DIVOT_INLINE void store(T* x, lane const& v) const {
      T* const to = static_cast<T*>(__builtin_assume_aligned(x + at_, 16));
      for (index i = 0; i < width; ++i) to[i] = v.each[i];
    }
    DIVOT_INLINE void stream(T* x, lane const& v) const { store(x, v); }
    DIVOT_INLINE lane keep(lane v) const {
      if (!full_) {
        for (index i = 0; i < width; ++i) v.each[i] = here(i) ? v.each[i] : T(0);
      }
      return v;
    }
    DIVOT_INLINE void prefetch(T const*) const {}

   private:
    DIVOT_INLINE bool here(index i) const { return i < count_ && i != hole_; }
    index at_, count_, hole_;  // from here to the end, and to the hole
    bool full_;
  };

  template <class Body>
  DIVOT_HD void blocks(index count, Body const& body) const {
    for (index b = 0; b < count; ++b) body(b);
    Group::barrier();
  }

  /// body(place) for every pack of the row's `count` classes that is this thread's. (A row is one
  /// block: what the first argument says is always 0.)
  template <class Body>
  static DIVOT_INLINE void each(index first, index count, Body const& body) {
    each_but(first, count, -1, body);
  }
  /// The same with one class left out.
  template <class Body>
  static DIVOT_INLINE void each_but(index, index count, position hole, Body const& body) {
    thread_share const mine = Group::share(packs(count));
    for (index pack = mine.begin; pack < mine.end; pack += mine.step) {
      body(place(pack * width, count - pack * width, hole));
    }
  }
  template <class Body>
  static DIVOT_INLINE void each_finite_but(index first, index count, position hole,
                                           Body const& body) {
    each_but(first, count, hole, body);
  }
  /// As `each`, for reductions with four accumulators elsewhere; threads hide latency here.
  template <class Body>
  static DIVOT_INLINE void each_of_four(index first, index count, Body const& body) {
    each(first, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      body(place, std::integral_constant<int, 0>());
    });
  }

  /// body(first class, how many) for the same packs.
  template <class Body>
  static DIVOT_INLINE void each_pack(index count, Body const& body) {
    thread_share const mine = Group::share(packs(count));
    for (index pack = mine.begin; pack < mine.end; pack += mine.step) {
      index const k = pack * width;
      body(k, count - k < width ? count - k : width);
    }
  }
  /// Whether a class is this thread's.
  static DIVOT_INLINE bool owns(position k) { return Group::owns(k / width); }
  /// Whether any thread says so.
  static DIVOT_INLINE bool any_of(bool yes) { return Group::largest(yes ? 1. : 0.) > 0; }
  /// Whether this thread keeps the books.
  static DIVOT_INLINE bool leads() { return Group::owns(0); }

  DIVOT_INLINE static bool may_stream(T const*) { return false; }
  DIVOT_INLINE static void settle_streams() {}

  static DIVOT_INLINE row sum(accumulator const& x) {
    row total = 0;
    for (index i = 0; i < width; ++i) total += static_cast<row>(x.each[i]);
    return Group::sum(total);
  }
  static DIVOT_INLINE T largest(lane const& x) {
    T most = x.each[0];
    for (index i = 1; i < width; ++i) most = x.each[i] > most ? x.each[i] : most;
    return Group::largest(most);
  }
  static DIVOT_INLINE T smallest(lane const& x) {
    T least = x.each[0];
    for (index i = 1; i < width; ++i) least = x.each[i] < least ? x.each[i] : least;
    return Group::smallest(least);
  }
  /// Where the first element stands that equals `value`; there is one.
  static DIVOT_HD position find(T const* x, row value, index, index count) {
    T const wanted = static_cast<T>(value);
    index found = none;
    thread_share const mine = Group::share(packs(count));
    for (index pack = mine.begin; pack < mine.end; pack += mine.step) {
      for (index k = pack * width; k < (pack + 1) * width && k < count; ++k) {
        if (x[k] == wanted && k < found) found = k;
      }
    }
    return Group::smallest(found);
  }
  /// Where the first of the largest elements stands, how many there are, and what the exponentials
  /// of the others add up to.
  struct maxima {
    position first;
    row count, rest;
  };
  static DIVOT_HD maxima count_maxima(T const* x, row largest, T const* e, index first,
                                      index count) {
    lane const top(static_cast<T>(largest)), nothing(T(0));
    lane numbers = nothing, rests = nothing;
    each(first, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      auto const one = place.load(x, low) == top;
      numbers += traits::select(one, lane(T(1)), nothing);
      rests += traits::select(one, nothing, place.load(e, 0));
    });
    return {find(x, largest, first, count), sum(numbers), sum(rests)};
  }
  static DIVOT_INLINE row at(T const* x, position k) {
    return static_cast<row>(Group::of_owner(x + k, owns(k)));
  }
  static DIVOT_INLINE void store_at(T* x, position k, row v) {
    if (owns(k)) x[k] = static_cast<T>(v);
  }
  static DIVOT_INLINE void add_at(T* x, position k, row v) {
    if (owns(k)) x[k] += static_cast<T>(v);
  }

 private:
  static constexpr double low = -std::numeric_limits<double>::infinity();
  static constexpr index none = std::numeric_limits<index>::max();
  static DIVOT_INLINE index packs(index count) { return (count + width - 1) / width; }
};

}  // namespace DIVOT_ABI
}  // namespace divot
