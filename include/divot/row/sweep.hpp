// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/anchor.hpp>
#include <divot/row/log_softmax_lanes.hpp>
#include <divot/row/range.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// The divergence sweep over one block: Σ d, and w̃_k = w_k − q_k·ω_anchor into scratch, with Σ w̃.
///
/// With Swap the roles are exchanged: the sweep is the student's one of the dual divergence, which
/// gives the teacher's gradient. The anchor's own class is left out of both sums; its loss is added
/// by the caller and its w̃ is 0 by definition.
///
/// Labelled: `anchor` has a factor and label terms besides.
///
/// Holds everything by value, so that the compiler sees numbers in registers and no memory that a
/// store to scratch might change.
template <bool Swap, bool Weights, bool Labelled, class Team, class Bound>
class divergence_sweep {
 public:
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using side = softmax_side<Team>;
  /// The widest type always has logarithms: ratios may leave even its range.
  static constexpr bool needs_logs = Bound::needs_logs || Team::widest;

  struct sums {
    typename Team::accumulator loss = typename Team::accumulator(T(0));
    typename Team::accumulator weight = typename Team::accumulator(T(0));
  };

  DIVOT_HD divergence_sweep(row_task<Team> const& task, side const& teacher, side const& student,
                            log_ratio<Team> const& ratio, Bound const& bound,
                            sweep_anchor<typename Team::row> const& anchor, T* weights, index b)
      : bound_(bound),
        ell_of_(ratio),
        teacher_scale_(spread<lane>(teacher.blocks()[b].scale)),
        student_scale_(spread<lane>(student.blocks()[b].scale)),
        anchor_(spread<lane>(anchor.ell)),
        omega_(spread<lane>(anchor.omega)),
        uniform_(spread<lane>(anchor.uniform)),
        factor_(spread<lane>(anchor.factor)),
        teacher_(task.teacher),
        student_(task.student),
        next_teacher_(task.next_teacher != nullptr ? task.next_teacher : task.teacher),
        next_student_(task.next_student != nullptr ? task.next_student : task.student),
        teacher_e_(task.teacher_exponentials),
        student_e_(task.student_exponentials),
        weights_(weights) {
    if constexpr (Bound::needs_relative) {
      ell_of_.set_reference(spread<lane>(anchor.teacher), spread<lane>(anchor.student));
    }
    if constexpr (needs_logs) {
      log_p_ = log_softmax_lanes<lane>(teacher);
      log_q_ = log_softmax_lanes<lane>(student);
    }
  }

  /// A place whose classes are all there, with finite logits, at one temperature for both sides.
  template <class Place>
  DIVOT_INLINE void plain(Place const& place, sums& total) const {
    place.prefetch(next_teacher_);
    place.prefetch(next_student_);
    lane const t = place.load(teacher_, 0), s = place.load(student_, 0);
    class_point<lane> x = point(place);
    x.ell = ell_of_.template at<true>(t, s);
    if constexpr (Bound::needs_relative) {
      x.relative = ell_of_.template relative<true>(t, s, x.ell);
    }
    if constexpr (needs_logs) {
      x.log_p = log_p_(t);
      x.log_q = log_q_(s);
    }
    x.x_p = t;
    x.x_q = s;
    put(place, x, Swap ? bound_.at(x.swapped(), anchor_) : bound_.at(x, anchor_), total);
  }

  /// Any place: classes may have a zero probability, or not be there at all, and the temperatures
  /// may differ.
  template <class Place>
  DIVOT_HD void edge(Place const& place, sums& total) const {
    constexpr double low = -std::numeric_limits<double>::infinity();
    lane const zero(T(0)), minus_infinity(static_cast<T>(low));
    lane const t = place.load(teacher_, low), s = place.load(student_, low);
    class_point<lane> x = point(place);
    auto const p_zero = t == minus_infinity, q_zero = s == minus_infinity;
    auto const either = p_zero || q_zero, both = p_zero && q_zero;
    x.ell = ell_of_(t, s);
    if constexpr (Bound::needs_relative) {
      lane const relative = ell_of_.same_temperature()
                                ? ell_of_.template relative<true>(t, s, x.ell)
                                : ell_of_.template relative<false>(t, s, x.ell);
      x.relative = math::select(either, zero, relative);
    }
    x.ell = math::select(either, zero, x.ell);
    if constexpr (needs_logs) {
      x.log_p = math::select(p_zero, zero, log_p_(t));
      x.log_q = math::select(q_zero, zero, log_q_(s));
    }
    x.x_p = math::select(p_zero, zero, t);
    x.x_q = math::select(q_zero, zero, s);
    auto const only_p = p_zero && s != minus_infinity, only_q = q_zero && t != minus_infinity;
    class_terms<lane> terms = Swap ? bound_.at_edge(x.swapped(), anchor_, only_q, only_p)
                                   : bound_.at_edge(x, anchor_, only_p, only_q);
    terms.loss = math::select(both, zero, terms.loss);
    terms.w = math::select(both, zero, terms.w);
    put(place, x, terms, total);
  }

 private:
  template <class Place>
  DIVOT_INLINE class_point<lane> point(Place const& place) const {
    class_point<lane> x{};
    x.p = place.load(teacher_e_, 0) * teacher_scale_;
    x.q = place.load(student_e_, 0) * student_scale_;
    return x;
  }
  template <class Place>
  DIVOT_INLINE void put(Place const& place, class_point<lane> const& x,
                        class_terms<lane> const& terms, sums& total) const {
    total.loss += place.keep(terms.loss);
    if constexpr (Weights) {
      lane const q = Swap ? x.p : x.q;
      lane const own = Labelled ? math::fms(factor_, terms.w, uniform_) : terms.w;
      lane const w = place.keep(math::fnma(q, omega_, own));
      total.weight += w;
      place.store(weights_, w);
    }
  }

  Bound bound_;
  typename log_ratio<Team>::template on_lanes<lane> ell_of_;
  lane teacher_scale_, student_scale_, anchor_, omega_, uniform_, factor_;
  log_softmax_lanes<lane> log_p_, log_q_;
  T const *teacher_, *student_, *next_teacher_, *next_student_, *teacher_e_, *student_e_;
  T* weights_;
};

template <bool Swap, bool Weights, bool Labelled, class Team, class Bound>
DIVOT_HD void divergence_block(row_task<Team> const& task, softmax_side<Team> const& teacher,
                               softmax_side<Team> const& student, log_ratio<Team> const& ratio,
                               Bound const& bound, sweep_anchor<typename Team::row> const& anchor,
                               typename Team::scalar* weights, index b) {
  teacher.blocks()[b].scale = teacher.block_scale(b);
  student.blocks()[b].scale = student.block_scale(b);
  using sweep_type = divergence_sweep<Swap, Weights, Labelled, Team, Bound>;
  auto const make_sweep = [&] {
    return sweep_type(task, teacher, student, ratio, bound, anchor, weights, b);
  };
  typename sweep_type::sums inner, outer;
  index const first = b * block_columns, count = block_length<Team>(task.classes, b);
  auto const hole = (Swap ? teacher : student).argmax();
  // the widest type, which does few rows, takes every class for one of those: one loop less
  if (Team::widest || teacher.infinite() || student.infinite() || !ratio.same_temperature()) {
    sweep_type const sweep = make_sweep();
    Team::each_but(first, count, hole, [&](auto const& place) { sweep.edge(place, outer); });
  } else if constexpr (!Team::widest) {
    sweep_type const sweep = make_sweep();
    Team::each_finite_but(first, count, hole, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      if constexpr (place_is_rare<decltype(place)>) {
        // one of its own: passed by address, `sweep` would not stay in registers
        make_sweep().edge(place, outer);
      } else {
        sweep.plain(place, inner);
      }
    });
  }
  using row = typename Team::row;
  auto const parts = sums_of<Team>(inner.loss, outer.loss, inner.weight, outer.weight);
  task.sweep_blocks[b] = {row(parts[0] + parts[1]), row(parts[2] + parts[3])};
}

}  // namespace DIVOT_ABI
}  // namespace divot
