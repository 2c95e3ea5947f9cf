// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/exact.hpp>
#include <divot/family/class_point.hpp>
#include <divot/row/softmax_side.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// ell_k = log p_k − log q_k of a teacher and a student row, exact to its own last bits.
///
///   equal temperatures   ell_k = [(t_k − s_k) ⊖ (max t − max s)]/T − (log Z_t − log Z_s)
///   otherwise            ell_k = (t_k − max t)/T_t ⊖ (s_k − max s)/T_s − (log Z_t − log Z_s)
///
/// Every difference marked ⊖ is taken in two words, so neither a constant offset between teacher
/// and student nor a large common part costs a bit of a small ell. So are 1/T_t and 1/T_s:
/// temperatures may differ by less than 1/T is rounded by.
template <class Team>
class log_ratio {
 public:
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using row = typename Team::row;
  using side = softmax_side<Team>;

  DIVOT_HD log_ratio(side const& teacher, side const& student)
      : t_max_(teacher.max()),
        s_max_(student.max()),
        t_inverse_(teacher.inverse_words()),
        s_inverse_(student.inverse_words()),
        offset_(row(teacher.log_z() - student.log_z())),
        common_(all_equal(t_inverse_, s_inverse_)) {}

  DIVOT_HD bool same_temperature() const { return common_; }
  DIVOT_HD row const& offset() const { return offset_; }
  DIVOT_HD void set_offset(row const& offset) { offset_ = offset; }

  /// Lane-typed copy of the row's numbers, made once per block.
  template <class V>
  class on_lanes {
   public:
    DIVOT_HD explicit on_lanes(log_ratio const& r)
        : common_(r.common_),
          t_max_(spread<V>(r.t_max_)),
          s_max_(spread<V>(r.s_max_)),
          offset_(spread<V>(r.offset_)),
          t_inverse_(lane_words<V>(r.t_inverse_.high, r.t_inverse_.low)),
          s_inverse_(lane_words<V>(r.s_inverse_.high, r.s_inverse_.low)) {
      auto const gap = exact_difference(r.t_max_, r.s_max_);
      auto const words = lane_words<V>(gap.high);
      gap_ = {words.high, V(words.low + spread<V>(gap.low))};
    }

    DIVOT_INLINE V operator()(V const& t, V const& s) const {
      return common_ ? at<true>(t, s) : at<false>(t, s);
    }

    template <bool SameTemperature>
    DIVOT_INLINE V at(V const& t, V const& s) const {
      if constexpr (SameTemperature) {
        V const d = t - s;
        V const x = (d - gap_.high) + (difference_error(t, s, d) - gap_.low);
        return math::fms(x, t_inverse_.high, offset_);
      } else {
        auto const a = scaled(t, t_max_, t_inverse_), b = scaled(s, s_max_, s_inverse_);
        auto const d = exact_difference(a.high, b.high);
        return V((d.high - offset_) + (d.low + (a.low - b.low)));
      }
    }

    /// What ell is rounded by, where it was taken at one class: not for loops.
    DIVOT_HD V rest(V const& t, V const& s, V const& ell) const {
      two_words<V> from;
      if (common_) {
        V const d = t - s;
        auto const x = exact_difference(d, gap_.high);
        V const low = x.low + (difference_error(t, s, d) - gap_.low);
        from = exact_product(x.high, t_inverse_.high);
        from.low += math::fma(x.high, t_inverse_.low, V(low * t_inverse_.high));
      } else {
        auto const a = scaled(t, t_max_, t_inverse_), b = scaled(s, s_max_, s_inverse_);
        from = exact_difference(a.high, b.high);
        from.low += a.low - b.low;
      }
      auto const all = exact_difference(from.high, offset_);
      return V((all.high - ell) + (all.low + from.low));
    }

    /// ell relative to the class with logits (t0, s0), exactly where the temperatures are equal.
    DIVOT_HD void set_reference(V const& t0, V const& s0) {
      reference_gap_ = exact_difference(t0, s0);
      reference_ = (*this)(t0, s0);
    }
    template <bool SameTemperature>
    DIVOT_INLINE V relative(V const& t, V const& s, V const& ell) const {
      if constexpr (SameTemperature) {
        V const d = t - s;
        V const x = (d - reference_gap_.high) + (difference_error(t, s, d) - reference_gap_.low);
        return V(x * t_inverse_.high);
      } else {
        return V(ell - reference_);
      }
    }
    DIVOT_HD bool same_temperature() const { return common_; }

   private:
    /// (x − max)/T in two words.
    static DIVOT_INLINE two_words<V> scaled(V const& x, V const& max, two_words<V> const& inverse) {
      auto const d = exact_difference(x, max);
      auto const p = exact_product(d.high, inverse.high);
      return {p.high, V(p.low + math::fma(d.high, inverse.low, V(d.low * inverse.high)))};
    }

    bool common_;
    V t_max_, s_max_, offset_;
    two_words<V> t_inverse_, s_inverse_, gap_;
    two_words<V> reference_gap_{V(0), V(0)};
    V reference_ = V(0);
  };

 private:
  DIVOT_HD static bool all_equal(two_words<row> const& a, two_words<row> const& b) {
    auto const differ = a.high != b.high || a.low != b.low;
    return !math::any<row>(differ);
  }

  row t_max_, s_max_;
  two_words<row> t_inverse_, s_inverse_;
  row offset_;
  bool common_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
