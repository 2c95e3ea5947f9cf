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
  /// A sum with the rounding errors beside it: short rows have no lanes to spread them over.
  class accumulator {
   public:
    DIVOT_INLINE explicit accumulator(T zero) : sum_(zero), rest_(T(0)) {}
    DIVOT_INLINE accumulator& operator+=(lane const& x) {
      lane const s = sum_ + x;
      rest_ = rest_ + (x - (s - sum_));
      sum_ = s;
      return *this;
    }
    DIVOT_INLINE lane value() const { return sum_ + rest_; }

   private:
    lane sum_, rest_;
  };
  using position = lane;  // the column number, one a lane
  using traits = lane_traits<lane>;
  static constexpr bool across = true;
  static constexpr bool one_block = true;
  static constexpr bool widest = false;
  static constexpr index width = static_cast<index>(traits::size);

  /// One class of every row.
  class open_place {
   public:
    static constexpr bool may_be_masked = false;
    static constexpr bool is_rare = false;
    explicit open_place(index at) : at_(at) {}
    DIVOT_INLINE lane load(T const* x, double) const { return traits::load(x + at_ * width); }
    DIVOT_INLINE void store(T* x, lane const& v) const { traits::store(x + at_ * width, v); }
    DIVOT_INLINE void stream(T* x, lane const& v) const { store(x, v); }
    DIVOT_INLINE lane keep(lane const& v) const { return v; }
    DIVOT_INLINE void prefetch(T const*) const {}

   protected:
    index at_;
  };
  /// The same where some rows leave this class out: in what is kept, and
  class holed_place : public open_place {
   public:
    DIVOT_INLINE holed_place(index at, mask_of<lane> const& left_out)
        : open_place(at), left_out_(left_out) {}
    DIVOT_INLINE lane keep(lane const& v) const { return traits::select(left_out_, lane(T(0)), v); }

   protected:
    mask_of<lane> left_out_;
  };
  /// in what is read.
  class masked_place : public holed_place {
   public:
    static constexpr bool may_be_masked = true;
    static constexpr bool is_rare = true;
    using holed_place::holed_place;
    DIVOT_INLINE lane load(T const* x, double fill) const {
      return traits::select(this->left_out_, lane(static_cast<T>(fill)),
                            traits::load(x + this->at_ * width));
    }
  };

  template <class Body>
  void blocks(index count, Body const& body) const {
    for (index b = 0; b < count; ++b) body(b);
  }
  template <class Body>
  static DIVOT_INLINE void each(index first, index count, Body const& body) {
    for (index k = first; k < first + count; ++k) body(open_place(k));
  }
  template <class Body>
  static DIVOT_INLINE void each_but(index first, index count, position const& hole,
                                    Body const& body) {
    for_each_column(first, count,
                    [&](index k, position const& at) { body(masked_place(k, at == hole)); });
  }
  template <class Body>
  static DIVOT_INLINE void each_finite_but(index first, index count, position const& hole,
                                           Body const& body) {
    for_each_column(first, count, [&](index k, position const& at) DIVOT_LAMBDA_INLINE {
      body(holed_place(k, at == hole));
    });
  }

  /// For reductions that need several accumulators to hide their latency: body(place, i) with i a
  /// compile-time number below 4 that says which one to use.
  template <class Body>
  static DIVOT_INLINE void each_of_four(index first, index count, Body const& body) {
    index const last = first + count;
    index k = first;
    for (; k + 4 <= last; k += 4) {
      body(open_place(k), std::integral_constant<int, 0>());
      body(open_place(k + 1), std::integral_constant<int, 1>());
      body(open_place(k + 2), std::integral_constant<int, 2>());
      body(open_place(k + 3), std::integral_constant<int, 3>());
    }
    for (; k < last; ++k) body(open_place(k), std::integral_constant<int, 0>());
  }

  // panels are small
  static bool may_stream(T const*) { return false; }
  static void settle_streams() {}

  static row sum(accumulator const& x) { return x.value(); }
  static lane largest(lane const& x) { return x; }
  static lane smallest(lane const& x) { return x; }
  /// Where the first of the largest elements stands, how many there are, and what the exponentials
  /// of the others add up to.
  struct maxima {
    position first;
    row count, rest;
  };
  static maxima count_maxima(T const* x, row const& largest, T const* e, index first, index count) {
    constexpr index part = 16;  // sums of sums: fewer roundings in a row
    lane found(T(-1)), number(T(0)), sum_of_rest(T(0));
    lane column(static_cast<T>(first + count));
    for (index end = first + count; end > first; end -= part) {
      lane sum(T(0));
      for (index k = end; k-- > first && k >= end - part;) {
        auto const one = traits::load(x + k * width) == largest;
        column = column - lane(T(1));
        found = traits::select(one, column, found);
        number += traits::select(one, lane(T(1)), lane(T(0)));
        sum += traits::select(one, lane(T(0)), traits::load(e + k * width));
      }
      sum_of_rest += sum;
    }
    return {found, number, sum_of_rest};
  }
  static row at(T const* x, position const& k) { return traits::of_each_line(x, k); }
  static void add_at(T* x, position const& k, row const& v) {
    auto const columns = traits::to_array(k);
    auto const values = traits::to_array(v);
    for (std::size_t i = 0; i < traits::size; ++i) {
      auto const column = static_cast<index>(columns[i]);
      if (column >= 0) x[column * width + static_cast<index>(i)] += values[i];
    }
  }

 private:
  /// body(column, the column in every lane).
  template <class Body>
  static DIVOT_INLINE void for_each_column(index first, index count, Body const& body) {
    lane at(static_cast<T>(first));
    for (index k = first; k < first + count; ++k) {
      body(k, at);
      at = at + lane(T(1));
    }
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
