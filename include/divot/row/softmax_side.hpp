// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/binary_exp.hpp>
#include <divot/core/exact.hpp>
#include <divot/core/probability_power.hpp>
#include <divot/core/types.hpp>
#include <divot/row/block.hpp>

#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// softmax(x/T) of one operand of a row, anchored at the row's maximum.
///
///   log_z = log Σ exp((x_k − max)/T) = log n + log1p(Z'/n),  n maxima, Z' the sum over the rest
///
/// The exponentials stay in scratch relative to their block's maximum (along a row: to the power
/// of two next to it), so no second pass over them is needed when a later block holds a larger one.
/// Ref  Blanchard, Higham and Higham (2021), IMA J. Numer. Anal. 41(4), 2311–2330
template <class Team>
class softmax_side {
 public:
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using row = typename Team::row;
  using position = typename Team::position;
  using block_type = softmax_block<row>;
  static constexpr double low = -std::numeric_limits<double>::infinity();

  /// x: classes elements; exponentials: as many, padded to whole packs; blocks: block_count.
  /// `inverse_low`: what 1/T was rounded by. `normalised`: x holds log-probabilities, so log Z is
  /// exactly 0 and T is 1.
  softmax_side(T const* x, T* exponentials, block_type* blocks, index classes,
               row const& inverse_temperature, bool normalised, row const& inverse_low = row(0))
      : x_(x),
        e_(exponentials),
        blocks_(blocks),
        classes_(classes),
        inverse_(inverse_temperature),
        inverse_low_(inverse_low),
        binary_(inverse_temperature, inverse_low),
        normalised_(normalised) {}

  /// First sweep over one block: the largest element.
  void look(index b) const {
    index const first = b * block_columns, count = block_length<Team>(classes_, b);
    T const* const x = x_;
    lane const lowest(static_cast<T>(low));
    lane tops[4] = {lowest, lowest, lowest, lowest};
    Team::each_of_four(first, count, [&](auto const& place, auto i) DIVOT_LAMBDA_INLINE {
      tops[i] = math::max(tops[i], place.load(x, low));
    });
    blocks_[b].max =
        row(Team::largest(math::max(math::max(tops[0], tops[1]), math::max(tops[2], tops[3]))));
  }

  /// Second sweep over one block: the exponentials and their sum, and the smallest element.
  void exponentiate(index b) const {
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
    out.sum = Team::sum(sum);
    row const min = row(Team::smallest(smallest));
    out.lowest = row(min * inverse_);
    if constexpr (Team::across) {
      // bad lanes were screened out: what is not finite here is −inf
      out.infinite = math::any<row>(min == gone);
      if (out.infinite) out.lowest = row(smallest_finite(first, count) * inverse_);
    } else if (!is_finite_number(out.sum) || !is_finite_number(min)) {
      inspect(out, first, count);
    }
  }

  /// After every block has begun: the row's maximum, its place and log Z. Every worker does this
  /// for itself, in block order.
  void join() {
    index const n = block_count<Team>(classes_);
    max_ = blocks_[0].max;
    lowest_ = blocks_[0].lowest;
    index holder = 0;
    for (index b = 1; b < n; ++b) {
      if constexpr (!Team::across) {
        if (blocks_[b].lowest < lowest_) lowest_ = blocks_[b].lowest;
        if (max_ < blocks_[b].max) {
          max_ = blocks_[b].max;
          holder = b;
        }
      }
    }
    argmax_block_ = holder;
    if constexpr (by_powers) peak_ = is_coarse() ? row(1) : binary_.top(max_);
    row maxima(0), rest(0);
    for (index b = 0; b < n; ++b) infinite_ = infinite_ || blocks_[b].infinite;
    if (!separate_one(maxima, rest)) separate_all(maxima, rest);
    if (normalised_) {
      log_z_ = row(-max_);
      total_ = math::exp(row(-max_));
      mass_ = row((maxima + rest) / total_);
    } else {
      log_z_ = log_of_sum(maxima, rest);
      total_ = row(maxima + rest);
    }
    top_ = row(row(1) / total_);
  }

  /// The factor that turns this block's exponentials into probabilities.
  row block_scale(index b) const {
    if constexpr (Team::across) {
      return top();
    } else {
      return row(units_of(b) / (peak_ * total_));
    }
  }

  /// The probability of the class at a position, across lanes: as the sweep sees it.
  row at(position const& k) const { return row(Team::at(e_, k) * block_scale(0)); }

  /// log-probability of an element, on the row's numbers.
  row log_probability(row const& x) const { return row((x - max_) * inverse_ - log_z_); }

  /// Whether logits are too large for the exponentials to have all their digits.
  mask_of<row> is_coarse() const { return is_coarse_at(max_); }
  /// Whether they are too large for powers up to this exponent.
  mask_of<row> is_coarse(double largest) const {
    return exceeds_digits(row(math::abs(row(max_ * inverse_)) * constant<row>(largest)));
  }
  /// The probability of an element.
  math::row_probability<row> probability() const { return {max_, inverse_, inverse_low_, log_z_}; }

  T const* data() const { return x_; }
  T* exponentials() const { return e_; }
  index classes() const { return classes_; }
  row const& max() const { return max_; }
  row const& log_z() const { return log_z_; }
  row const& inverse_temperature() const { return inverse_; }
  position const& argmax() const { return argmax_; }
  index argmax_block() const { return argmax_block_; }
  /// Probability of the largest class.
  row const& top() const { return top_; }
  /// (max − min)/T over the classes that are not −inf, to within .4.
  row range() const { return row(max_ * inverse_ - lowest_); }
  bool normalised() const { return normalised_; }
  /// Some element may be −inf.
  bool infinite() const { return infinite_; }
  block_type* blocks() const { return blocks_; }

  /// After the blocks have begun: an element is NaN or +inf, or all are −inf. Lanes of rows across
  /// were screened when their panel was filled.
  bool hopeless() const {
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
  /// Log-probabilities that do not sum to 1; such operands are never walked across lanes.
  bool is_off(double tolerance) const {
    if constexpr (Team::across) {
      return false;
    } else {
      return normalised_ && !(math::abs(row(mass_ - row(1))) <= constant<row>(tolerance));
    }
  }

 private:
  /// The second sweep where all exponentials are normal numbers, which the smallest tells; false,
  /// and nothing is settled, where they are not.
  template <class Exponential>
  bool exponentiate_normal(Exponential const& exponential, block_type& out, index first,
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
    T const lowest = Team::smallest(steps);
    out.sum = Team::sum(sum);
    out.lowest = exponential.logarithm(lowest);
    return exponential.is_normal(lowest) && is_finite_number(out.sum);
  }

  /// The sum of a row in which the largest class is one among many: without it, and 1.
  bool separate_one(row& maxima, row& rest) {
    if constexpr (by_powers) {
      row all(0);
      for (index b = 0; b < block_count<Team>(classes_); ++b) {
        if (is_finite_number(blocks_[b].max)) all += row(blocks_[b].sum * units_of(b));
      }
      all /= peak_;
      if (!(all > row(4))) return false;
      argmax_ = Team::find(x_, max_, argmax_block_ * block_columns,
                           block_length<Team>(classes_, argmax_block_));
      maxima = row(1);
      rest = row(all - row(1));
      return true;
    } else {
      return false;
    }
  }
  /// The sum of any row: how many maxima there are, and what the others add up to.
  void separate_all(row& maxima, row& rest) {
    for (index b = 0; b < block_count<Team>(classes_); ++b) {
      bool holds = true;
      if constexpr (!Team::across) holds = blocks_[b].max == max_;
      if (holds) {
        auto const found =
            Team::count_maxima(x_, max_, e_, b * block_columns, block_length<Team>(classes_, b));
        rest = row(rest + found.rest);
        maxima = row(maxima + found.count);
        if (b == argmax_block_) argmax_ = found.first;
      } else if constexpr (!Team::across) {
        if (is_finite_number(blocks_[b].max)) rest += row(blocks_[b].sum * units_of(b));
      }
    }
    if constexpr (by_powers) rest /= peak_;
  }

  /// Along a row exponentials come in units of powers of two. Across lanes, where a row's numbers
  /// are no wider than the exponentials, dividing by the peak's would cost digits.
  static constexpr bool by_powers = lane_traits<lane>::is_pack && !Team::across;
  struct nothing {
    nothing(row const&, row const&) {}
  };

  /// The exponentials of elements up to `reference`.
  auto exponential_from(row const& reference) const {
    if constexpr (by_powers) {
      return binary_.with(binary_.exponent(reference));
    } else {
      return math::shifted_exp<lane, row>({reference, inverse_, inverse_low_});
    }
  }
  /// The units of a block's exponentials in those of the row's largest.
  row units_of(index b) const {
    row const max = blocks_[b].max;
    if constexpr (by_powers) {
      // where one is coarse, both are or the other is 0
      if (!is_coarse_at(max) && !is_coarse()) {
        return math::exact_power_of_two(binary_.exponent(max) - binary_.exponent(max_));
      }
    }
    row const gap = math::select(max == max_, row(0), row((max - max_) * inverse_));
    return math::exp(gap);
  }
  mask_of<row> is_coarse_at(row const& x) const {
    return exceeds_digits(math::abs(row(x * inverse_)));
  }
  /// On packs, exponents are split into an integer and a rest.
  static mask_of<row> exceeds_digits(row const& exponent) {
    if constexpr (lane_traits<lane>::is_pack) {
      return exponent > constant<row>(sizeof(T) == 4 ? 1e5 : 1e14);
    } else {
      return row(0) > row(0);
    }
  }
  /// log(maxima + rest) for an integer maxima ≥ 1; relatively accurate near 0.
  static row log_of_sum(row const& maxima, row const& rest) {
    if constexpr (is_real<row>) {
      if (rest > row(.5)) return math::log(row(maxima + rest));  // twice as fast
    }
    auto const several = maxima != row(1);
    if (!math::any<row>(several)) return math::log1p(rest);
    return row(math::log(maxima) + math::log1p(row(rest / maxima)));
  }

  /// The smallest element that is not −inf, across lanes.
  row smallest_finite(index first, index count) const {
    row const gone(static_cast<T>(low)), most(static_cast<T>(-low));
    row smallest = most;
    for (index k = first; k < first + count; ++k) {
      row const x = row(typename Team::open_place(k).load(x_, low));
      smallest = math::min(smallest, math::select(x == gone, most, x));
    }
    return smallest;
  }

  void inspect(block_type& out, index first, index count) const {
    T smallest(static_cast<T>(std::numeric_limits<double>::infinity()));
    for (index k = first; k < first + count; ++k) {
      if (x_[k] == T(-std::numeric_limits<double>::infinity())) {
        out.infinite = true;
      } else if (!is_finite_number(x_[k])) {
        out.bad = true;
      } else if (x_[k] < smallest) {
        smallest = x_[k];
      }
    }
    out.lowest = row(row(smallest) * inverse_);
  }

  T const* x_;
  T* e_;
  block_type* blocks_;
  index classes_;
  row inverse_, inverse_low_;
  std::conditional_t<by_powers, math::binary_exp<lane>, nothing> binary_;
  bool normalised_;
  row max_{}, lowest_{}, log_z_{}, total_{}, top_{};
  row mass_ = row(1);  // Σ of the probabilities, as the caller passed them
  row peak_ = row(1);  // the largest element's exponential, in its units
  position argmax_{};
  index argmax_block_ = 0;
  bool infinite_ = false;
};

}  // namespace DIVOT_ABI
}  // namespace divot
