// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/exact.hpp>
#include <divot/core/probability_power.hpp>
#include <divot/row/row_exponentials.hpp>

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
class softmax_side : public row_exponentials<Team> {
  using base = row_exponentials<Team>;
  using base::binary_, base::blocks_, base::by_powers, base::classes_, base::e_,
      base::exceeds_digits, base::inverse_, base::inverse_low_, base::is_coarse_at, base::x_;

 public:
  using typename base::block_type, typename base::lane, typename base::row, typename base::T;
  using position = typename Team::position;

  /// x: classes elements; exponentials: as many, padded to whole packs; blocks: block_count.
  /// `inverse_low`: what 1/T was rounded by. `normalised`: x holds log-probabilities, so log Z is
  /// exactly 0 and T is 1.
  DIVOT_HD softmax_side(T const* x, T* exponentials, block_type* blocks, index classes,
                        row const& inverse_temperature, bool normalised,
                        row const& inverse_low = row(0))
      : base(x, exponentials, blocks, classes, inverse_temperature, inverse_low),
        normalised_(normalised) {}

  /// After every block has begun: the row's maximum, its place and log Z. Every worker does this
  /// for itself, in block order.
  DIVOT_HD void join() {
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
  DIVOT_HD row block_scale(index b) const {
    if constexpr (Team::across) {
      return top();
    } else {
      return row(units_of(b) / (peak_ * total_));
    }
  }

  /// The probability of the class at a position, across lanes: as the sweep sees it.
  DIVOT_HD row at(position const& k) const { return row(Team::at(e_, k) * block_scale(0)); }

  /// log-probability of an element, on the row's numbers.
  DIVOT_HD row log_probability(row const& x) const { return row((x - max_) * inverse_ - log_z_); }

  /// Whether logits are too large for the exponentials to have all their digits.
  DIVOT_HD mask_of<row> is_coarse() const { return is_coarse_at(max_); }
  /// Whether they are too large for powers up to this exponent.
  DIVOT_HD mask_of<row> is_coarse(double largest) const {
    return exceeds_digits(row(math::abs(row(max_ * inverse_)) * constant<row>(largest)));
  }
  /// The probability of an element.
  DIVOT_HD math::row_probability<row> probability() const {
    return {max_, inverse_, inverse_low_, log_z_};
  }

  DIVOT_HD row const& max() const { return max_; }
  DIVOT_HD row const& log_z() const { return log_z_; }
  DIVOT_HD position const& argmax() const { return argmax_; }
  DIVOT_HD index argmax_block() const { return argmax_block_; }
  /// Probability of the largest class.
  DIVOT_HD row const& top() const { return top_; }
  /// (max − min)/T over the classes that are not −inf, to within .4.
  DIVOT_HD row range() const { return row(max_ * inverse_ - lowest_); }
  DIVOT_HD bool normalised() const { return normalised_; }
  /// Some element may be −inf.
  DIVOT_HD bool infinite() const { return infinite_; }

  /// Log-probabilities that do not sum to 1; such operands are never walked across lanes.
  DIVOT_HD bool is_off(double tolerance) const {
    if constexpr (Team::across) {
      return false;
    } else {
      return normalised_ && !(math::abs(row(mass_ - row(1))) <= constant<row>(tolerance));
    }
  }

 private:
  /// The sum of a row in which the largest class is one among many: without it, and 1.
  DIVOT_HD bool separate_one(row& maxima, row& rest) {
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
  DIVOT_HD void separate_all(row& maxima, row& rest) {
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

  /// The units of a block's exponentials in those of the row's largest.
  DIVOT_HD row units_of(index b) const {
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
  /// log(maxima + rest) for an integer maxima ≥ 1; relatively accurate near 0.
  DIVOT_HD static row log_of_sum(row const& maxima, row const& rest) {
    if constexpr (is_real<row>) {
      if (rest > row(.5)) return math::log(row(maxima + rest));  // twice as fast
    }
    bool const several = math::any<row>(maxima != row(1));
    row const beside = math::log1p(several ? row(rest / maxima) : rest);
    return several ? row(math::log(maxima) + beside) : beside;
  }

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
