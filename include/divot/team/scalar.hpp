// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>
#include <divot/core/types.hpp>

#include <cmath>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// A team of one that takes a class at a time: the oracle, for any scalar type.
///
/// float sums in double; other scalars in themselves.
///
/// Widest: no wider team comes after this one; limits are then taken exactly, class by class.
template <class T, bool Widest = std::is_same_v<T, long double>>
class scalar_team {
 public:
  using scalar = T;
  using lane = T;
  using row = std::conditional_t<std::is_same_v<T, float>, double, T>;
  using accumulator = row;
  using position = index;
  static constexpr bool across = false;
  static constexpr bool one_block = false;
  static constexpr bool widest = Widest;
  static constexpr index width = 1;

  /// One class of a row; `masked` where it is the one to leave out.
  class place {
   public:
    static constexpr bool may_be_masked = true;
    static constexpr bool is_rare = true;
    DIVOT_HD place(index at, bool left_out) : at_(at), left_out_(left_out) {}
    DIVOT_HD T load(T const* x, double fill) const { return left_out_ ? T(fill) : x[at_]; }
    DIVOT_HD void store(T* x, T const& v) const { x[at_] = v; }
    DIVOT_HD void stream(T* x, T const& v) const { store(x, v); }
    DIVOT_HD T keep(T const& v) const { return left_out_ ? T(0) : v; }
    DIVOT_HD void prefetch(T const*) const {}

   private:
    index at_;
    bool left_out_;
  };

  template <class Body>
  DIVOT_HD void blocks(index count, Body const& body) const {
    for (index b = 0; b < count; ++b) body(b);
  }
  template <class Body>
  DIVOT_HD static void each(index first, index count, Body const& body) {
    each_but(first, count, -1, body);
  }
  template <class Body>
  DIVOT_HD static void each_but(index first, index count, position hole, Body const& body) {
    for (index k = first; k < first + count; ++k) body(place(k, k == hole));
  }
  template <class Body>
  DIVOT_HD static void each_finite_but(index first, index count, position hole, Body const& body) {
    each_but(first, count, hole, body);
  }

  /// As `each`, for reductions with four accumulators elsewhere; one serves here.
  template <class Body>
  DIVOT_HD static void each_of_four(index first, index count, Body const& body) {
    each(first, count, [&](auto const& place) { body(place, std::integral_constant<int, 0>()); });
  }

  DIVOT_HD static bool may_stream(T const*) { return false; }
  DIVOT_HD static void settle_streams() {}

  DIVOT_HD static row sum(accumulator const& x) { return x; }
  DIVOT_HD static void sums(accumulator const (&x)[8], row (&out)[8]) {
    for (int i = 0; i < 8; ++i) out[i] = x[i];
  }
  DIVOT_HD static T largest(T const& x) { return x; }
  DIVOT_HD static T smallest(T const& x) { return x; }
  /// Where the first of the largest elements stands, how many there are, and what the exponentials
  /// of the others add up to.
  struct maxima {
    position first;
    row count, rest;
  };
  DIVOT_HD static maxima count_maxima(T const* x, row const& largest, T const* e, index first,
                                      index count) {
    maxima all{-1, row(0), row(0)};
    for (index k = first; k < first + count; ++k) {
      if (row(x[k]) == largest) {
        if (all.first < 0) all.first = k;
        all.count = row(all.count + row(1));
      } else {
        all.rest = row(all.rest + row(e[k]));
      }
    }
    return all;
  }
  DIVOT_HD static row at(T const* x, position k) { return row(x[k]); }
  DIVOT_HD static void store_at(T* x, position k, row const& v) { x[k] = T(v); }
  DIVOT_HD static void add_at(T* x, position k, row const& v) { x[k] = T(x[k] + T(v)); }
};

}  // namespace DIVOT_ABI
}  // namespace divot
