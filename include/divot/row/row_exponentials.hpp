// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/binary_exp.hpp>
#include <divot/core/exact.hpp>
#include <divot/core/types.hpp>
#include <divot/row/block.hpp>
#include <divot/row/reductions.hpp>

#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// The exponentials of one operand of a row, block by block, e^((x_k − reference)/T) relative to
/// the block's maximum (along a row: to the power of two next to it).
template <class Team>
class row_exponentials {
 public:
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using row = typename Team::row;
  using block_type = softmax_block<row>;
  static constexpr double low = -std::numeric_limits<double>::infinity();

  /// x: classes elements; exponentials: as many, padded to whole packs; blocks: block_count.
  /// `inverse_low`: what 1/T was rounded by.
  DIVOT_HD row_exponentials(T const* x, T* exponentials, block_type* blocks, index classes,
                            row const& inverse_temperature, row const& inverse_low)
      : x_(x),
        e_(exponentials),
        blocks_(blocks),
        classes_(classes),
        inverse_(inverse_temperature),
        inverse_low_(inverse_low),
        binary_(inverse_temperature, inverse_low) {}

  /// First sweep over one block: the largest element.
  DIVOT_HD void look(index b) const { blocks_[b].max = row(Team::largest(largest_lanes(b))); }
  /// The same for both operands of a row.
  DIVOT_HD static void look(row_exponentials const& one, row_exponentials const& other, index b) {
    lane const a = one.largest_lanes(b), c = other.largest_lanes(b);
    auto const [of_one, of_other] = both_largest<Team>(a, c);
    one.blocks_[b].max = of_one;
    other.blocks_[b].max = of_other;
  }

  /// Second sweep over one block: the exponentials and their sum, and the smallest element.
  DIVOT_HD void exponentiate(index b) const {
    index const first = b * block_columns, count = block_length<Team>(classes_, b);
    block_type& out = blocks_[b];
    // a block that is −inf throughout: any finite reference will do
    row const gone(static_cast<T>(low));
    row const reference = math::select(out.max == gone, row(0), out.max);
    // elements so large that even their integers have no room in T are taken relative to it first;
    // rows across lanes are then done again in a wider type
    row const base =
        Team::across ? row(0) : row(math::select(is_coarse_at(reference), reference, row(0)));
    auto const exponential = exponential_from(row(reference - base));
    out.infinite = out.bad = false;
    if constexpr (by_powers) {
      if (base == 0 && exponentiate_normal(exponential, out, first, count)) return;
    }
    typename Team::accumulator sum(T(0));
    lane smallest(static_cast<T>(-low));
    lane const from = spread<lane>(base);
    T const* const x = x_;
    T* const e = e_;
    Team::each(first, count, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const y = exponential(lane(place.load(x, low) - from));
      if constexpr (!Team::across) sum += y;  // there `separate_all` adds up
      smallest = math::min(smallest, place.load(x, -low));
      place.store(e, y);
    });
    auto const [smallest_one, total] = smallest_and_sum<Team>(smallest, sum);
    out.sum = total;
    row const min = row(smallest_one);
    out.lowest = row(min * inverse_);
    if constexpr (Team::across) {
      // bad lanes were screened out: what is not finite here is −inf
      out.infinite = math::any<row>(min == gone);
      if (out.infinite) out.lowest = row(smallest_finite(first, count) * inverse_);
    } else if (!is_finite_number(out.sum) || !is_finite_number(min)) {
      inspect(out, first, count);
    }
  }

  /// After the blocks have begun: an element is NaN or +inf, or all are −inf. Lanes of rows across
  /// were screened when their panel was filled.
  DIVOT_HD bool hopeless() const {
    if constexpr (Team::across) {
      return false;
    } else {
      bool bad = false, finite = false;
      for (index b = 0; b < block_count<Team>(classes_); ++b) {
        bad = bad || blocks_[b].bad;
        finite = finite || is_finite_number(blocks_[b].max);
      }
      return bad || !finite;
    }
  }
  DIVOT_HD T const* data() const { return x_; }
  DIVOT_HD T* exponentials() const { return e_; }
  DIVOT_HD index classes() const { return classes_; }
  DIVOT_HD row const& inverse_temperature() const { return inverse_; }
  DIVOT_HD two_words<row> inverse_words() const { return {inverse_, inverse_low_}; }
  DIVOT_HD block_type* blocks() const { return blocks_; }

 protected:
  /// Along a row exponentials come in units of powers of two. Across lanes, where a row's numbers
  /// are no wider than the exponentials, dividing by the peak's would cost digits.
  static constexpr bool by_powers = lane_traits<lane>::is_pack && !Team::across;
  struct nothing {
    DIVOT_HD nothing(row const&, row const&) {}
  };

  /// The exponentials of elements up to `reference`.
  DIVOT_HD auto exponential_from(row const& reference) const {
    if constexpr (by_powers) {
      return binary_.with(binary_.exponent(reference));
    } else {
      return math::shifted_exp<lane, row>({reference, inverse_, inverse_low_});
    }
  }
  DIVOT_HD mask_of<row> is_coarse_at(row const& x) const {
    return exceeds_digits(math::abs(row(x * inverse_)));
  }
  /// On packs, exponents are split into an integer and a rest.
  DIVOT_HD static mask_of<row> exceeds_digits(row const& exponent) {
    if constexpr (lane_traits<lane>::is_pack) {
      return exponent > constant<row>(sizeof(T) == 4 ? 1e5 : 1e14);
    } else {
      return row(0) > row(0);
    }
  }

  T const* x_;
  T* e_;
  block_type* blocks_;
  index classes_;
  row inverse_, inverse_low_;
  std::conditional_t<by_powers, math::binary_exp<lane>, nothing> binary_;

 private:
  DIVOT_HD lane largest_lanes(index b) const {
    index const first = b * block_columns, count = block_length<Team>(classes_, b);
    T const* const x = x_;
    lane const lowest(static_cast<T>(low));
    lane tops[4] = {lowest, lowest, lowest, lowest};
    Team::each_of_four(first, count, [&](auto const& place, auto i) DIVOT_LAMBDA_INLINE {
      tops[i] = math::max(tops[i], place.load(x, low));
    });
    return math::max(math::max(tops[0], tops[1]), math::max(tops[2], tops[3]));
  }

  /// The second sweep where all exponentials are normal numbers, which the smallest tells; false,
  /// and nothing is settled, where they are not.
  template <class Exponential>
  DIVOT_HD bool exponentiate_normal(Exponential const& exponential, block_type& out, index first,
                                    index count) const {
    using traits = lane_traits<lane>;
    typename Team::accumulator sum(T(0));
    T const* const x = x_;
    T const* const next = x_ + count;  // of this row or, most likely, the next one
    T* const e = e_;
    lane steps = exponential.step(spread<lane>(out.max));
    auto const take = [&sum, &steps, x, next, e, exponential, max = out.max](auto const& place)
                          DIVOT_LAMBDA_INLINE {
                            place.prefetch(next);
                            lane y;
                            if constexpr (place_may_be_masked<decltype(place)>) {
                              lane const there = place.load(x, max);
                              steps = traits::lower_step(steps, exponential.step(there));
                              y = exponential(place.load(x, low));
                            } else {
                              lane const a = place.load(x, low), n = exponential.step(a);
                              steps = traits::lower_step(steps, n);
                              y = exponential.normal(a, n);
                            }
                            sum += y;
                            place.store(e, y);
                          };
    Team::each(first, count, take);
    auto const [lowest, total] = smallest_and_sum<Team>(steps, sum);
    out.sum = total;
    out.lowest = exponential.logarithm(lowest);
    return exponential.is_normal(lowest) && is_finite_number(out.sum);
  }

  /// The smallest element that is not −inf, across lanes.
  DIVOT_HD row smallest_finite(index first, index count) const {
    row const gone(static_cast<T>(low)), most(static_cast<T>(-low));
    row smallest = most;
    for (index k = first; k < first + count; ++k) {
      row const x = row(typename Team::open_place(k).load(x_, low));
      smallest = math::min(smallest, math::select(x == gone, most, x));
    }
    return smallest;
  }

  /// Of a block that is not finite: what is in it, and the smallest element that is.
  DIVOT_HD void inspect(block_type& out, index first, index count) const {
    lane const gone(static_cast<T>(low)), most(static_cast<T>(-low)), yes(T(1)), no(T(0));
    lane smallest = most, infinite = no, bad = no;
    T const* const x = x_;
    Team::each(first, count, [&](auto const& place) {
      lane const v = place.load(x, low);
      auto const finite = v - v == no, is_gone = v == gone;
      infinite = math::max(infinite, place.keep(math::select(is_gone, yes, no)));
      bad = math::max(bad, math::select(finite || is_gone, no, yes));
      smallest = math::min(smallest, math::select(finite, v, most));
    });
    out.infinite = Team::largest(infinite) > T(0);
    out.bad = Team::largest(bad) > T(0);
    out.lowest = row(row(Team::smallest(smallest)) * inverse_);
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
