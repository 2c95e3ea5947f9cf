// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/team/lanes.hpp>

#include <array>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// Which packs of a row are a thread's: begin, begin + step … below end.
struct thread_share {
  index begin, end, step;
};

/// How a group makes one number of a number a thread.
enum class combine { sum, largest, smallest };

/// A few numbers of a thread, each of which is reduced.
template <std::size_t N>
struct several {
  double each[N];

  /// Those of two threads made one, by a rule each.
  template <combine... How>
  static DIVOT_HD several joined(several const& a, several const& b) {
    several all;
    std::size_t i = 0;
    auto const join = [&](combine how) {
      double const x = a.each[i], y = b.each[i];
      all.each[i++] = how == combine::sum       ? x + y
                      : how == combine::largest ? (x > y ? x : y)
                                                : (x < y ? x : y);
    };
    (join(How), ...);
    return all;
  }
};

/// Threads that walk a row together, each taking every so-manieth pack, all running the same lines:
/// what a CUDA block or cluster is. Each holds its own copy of the row's numbers, which are the
/// same on all threads, since every sum reaches all of them.
///
/// Group says who they are and how they meet; all of it is static:
///   thread_share share(packs)            the packs of a row that are this thread's
///   bool owns(pack)
///   several<N> all<How...>(several<N>)   of all threads, in a fixed tree, to all threads
///
/// Threads have to meet for every reduction, which takes them longer than what they add: several
/// numbers are reduced at once where that can be. A row is one block: a thread's share of it is
/// short. A pack belongs to the same thread in every sweep, and what another thread is to know of
/// it goes through a reduction: nobody reads what others write, and nobody waits for it.
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
  /// Of a number of every thread.
  static DIVOT_INLINE double sum_of_threads(double x) { return reduced<combine::sum>(x)[0]; }
  static DIVOT_INLINE double largest_of_threads(double x) {
    return reduced<combine::largest>(x)[0];
  }
  /// Whether this thread keeps the books.
  static DIVOT_INLINE bool leads() { return Group::owns(0); }

  DIVOT_INLINE static bool may_stream(T const*) { return false; }
  DIVOT_INLINE static void settle_streams() {}

  static DIVOT_INLINE row sum(accumulator const& x) { return reduced<combine::sum>(total(x))[0]; }
  static DIVOT_INLINE T largest(lane const& x) {
    return static_cast<T>(reduced<combine::largest>(top(x))[0]);
  }
  static DIVOT_INLINE T smallest(lane const& x) {
    return static_cast<T>(reduced<combine::smallest>(bottom(x))[0]);
  }
  // several at once
  template <class... A>
  static DIVOT_INLINE std::array<row, sizeof...(A)> sums(A const&... x) {
    return reduced<sum_of<A>...>(total(x)...);
  }
  static DIVOT_INLINE std::pair<row, row> both_largest(lane const& a, lane const& b) {
    auto const [x, y] = reduced<combine::largest, combine::largest>(top(a), top(b));
    return {x, y};
  }
  static DIVOT_INLINE std::pair<T, row> smallest_and_sum(lane const& x, accumulator const& terms) {
    auto const [least, sum] = reduced<combine::smallest, combine::sum>(bottom(x), total(terms));
    return {static_cast<T>(least), sum};
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
    return static_cast<position>(reduced<combine::smallest>(static_cast<double>(found))[0]);
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
    auto const [n, rest] = sums(numbers, rests);
    return {find(x, largest, first, count), n, rest};
  }
  static DIVOT_INLINE row at(T const* x, position k) {
    return reduced<combine::sum>(owns(k) ? static_cast<double>(x[k]) : 0.)[0];
  }
  static DIVOT_INLINE void store_at(T* x, position k, row v) {
    if (owns(k)) x[k] = static_cast<T>(v);
  }
  static DIVOT_INLINE void add_at(T* x, position k, row v) {
    if (owns(k)) x[k] += static_cast<T>(v);
  }

 private:
  static constexpr double low = -std::numeric_limits<double>::infinity();
  static constexpr index none = index(1) << 52;  // no class's; a double tells them apart
  template <class>
  static constexpr combine sum_of = combine::sum;
  static DIVOT_INLINE index packs(index count) { return (count + width - 1) / width; }

  // of a pack
  static DIVOT_INLINE double total(accumulator const& x) {
    double sum = 0;
    for (index i = 0; i < width; ++i) sum += static_cast<double>(x.each[i]);
    return sum;
  }
  static DIVOT_INLINE double top(lane const& x) {
    T most = x.each[0];
    for (index i = 1; i < width; ++i) most = x.each[i] > most ? x.each[i] : most;
    return static_cast<double>(most);
  }
  static DIVOT_INLINE double bottom(lane const& x) {
    T least = x.each[0];
    for (index i = 1; i < width; ++i) least = x.each[i] < least ? x.each[i] : least;
    return static_cast<double>(least);
  }
  template <combine... How, class... X>
  static DIVOT_INLINE std::array<double, sizeof...(How)> reduced(X... x) {
    several<sizeof...(How)> const all =
        Group::template all<How...>(several<sizeof...(How)>{{x...}});
    std::array<double, sizeof...(How)> out{};
    for (std::size_t i = 0; i < sizeof...(How); ++i) out[i] = all.each[i];
    return out;
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
