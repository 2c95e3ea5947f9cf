// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/log_ratio.hpp>
#include <divot/row/task.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// What the sweep needs to know besides the rows: the gauge, the anchor and label terms.
template <class Row>
struct sweep_anchor {
  Row ell;      // log p − log q at the anchor
  Row rest;     // what it is rounded by
  Row teacher;  // the logits there
  Row student;
  Row omega;    // w/q at the anchor, all terms
  Row loss;     // the anchor's own loss
  Row uniform;  // every valid class's share of −∂(label terms)/∂log q
  Row factor;   // multiplies w of the divergences

  DIVOT_HD two_words<Row> words() const { return {ell, rest}; }
};

/// The class of the anchor, as the divergences see it.
template <class Row>
struct anchor_class {
  class_point<Row> x;       // of the gradient's side, which with Swap is the teacher
  mask_of<Row> other_gone;  // the other side has nothing there
};

/// Looks at the class where the (Swap: teacher's) probability is largest: all of the anchor that no
/// divergence has a say in. `other`: what the other side's logit is there.
template <bool Swap, class Team>
DIVOT_HD anchor_class<typename Team::row> find_anchor(softmax_side<Team> const& teacher,
                                                      softmax_side<Team> const& student,
                                                      log_ratio<Team> const& ratio,
                                                      typename Team::row const& other,
                                                      sweep_anchor<typename Team::row>& anchor) {
  using row = typename Team::row;
  softmax_side<Team> const& own = Swap ? teacher : student;
  row const low(static_cast<row>(-limits_of<row>::infinity()));
  row const t = Swap ? own.max() : other;
  row const s = Swap ? other : own.max();
  auto const t_gone = t == low, s_gone = s == low;
  row const safe_t = math::select(t_gone, teacher.max(), t);
  row const safe_s = math::select(s_gone, student.max(), s);
  typename log_ratio<Team>::template on_lanes<row> const ell_of(ratio);
  class_point<row> x{};
  x.log_p = teacher.log_probability(safe_t);
  x.log_q = student.log_probability(safe_s);
  x.x_p = safe_t;
  x.x_q = safe_s;
  row const none = row(0);
  if constexpr (Team::across) {
    // a row's number is no wider than the exponentials
    x.p = Swap ? teacher.top() : teacher.at(own.argmax());
    x.q = Swap ? student.at(own.argmax()) : student.top();
  } else {
    auto const probability_of = [&](auto const& of, row const& at, auto const& gone) {
      return math::select(gone, none, math::shifted_exp<row, row>(of)(at));
    };
    x.p = Swap ? teacher.top() : probability_of(teacher.probability(), safe_t, t_gone);
    x.q = Swap ? probability_of(student.probability(), safe_s, s_gone) : student.top();
  }
  x.ell = math::select(t_gone || s_gone, none, ell_of(safe_t, safe_s));
  anchor.rest = row(0);
  if constexpr (Team::across && !Team::widest) {
    // a row's number is no wider than the lanes
    anchor.rest = math::select(t_gone || s_gone, none, ell_of.rest(safe_t, safe_s, x.ell));
    if constexpr (Swap) anchor.rest = -anchor.rest;
  }
  if constexpr (Swap) x = x.swapped();
  auto const other_gone = Swap ? s_gone : t_gone;
  anchor.ell = math::select(other_gone, constant<row>(-1e30), x.ell);
  anchor.teacher = safe_t;
  anchor.student = safe_s;
  return {x, other_gone};
}

/// Evaluates the divergences at the anchor: fills in everything but `uniform` and `factor`, of
/// which the latter is read.
template <bool Swap, class Team, class Bound>
DIVOT_HD void set_anchor(Bound const& bound, softmax_side<Team> const& teacher,
                         softmax_side<Team> const& student, log_ratio<Team> const& ratio,
                         typename Team::row const& other,
                         sweep_anchor<typename Team::row>& anchor) {
  using row = typename Team::row;
  auto const [x, other_gone] = find_anchor<Swap>(teacher, student, ratio, other, anchor);
  auto const p = teacher.probability(), q = student.probability();
  auto const never = row(0) != row(0);
  auto const form = bound.template on_row<row>(Swap ? q : p, Swap ? p : q, anchor.words());
  class_terms<row> const terms = form.at_edge(x, anchor.ell, other_gone, never);
  anchor.loss = terms.loss;
  // a quotient: of slopes that are alike it leaves exactly nothing
  anchor.omega = row(anchor.factor * terms.w / x.q);
}

/// Rows so close that even a divergence of order ell² sees the rounding of the offset: those whose
/// divergence may be below 10⁵ times the square of it. `there`: the teacher's logit where the
/// student's is largest.
template <class Team>
DIVOT_HD mask_of<typename Team::row> nearly_equal(row_task<Team> const& task,
                                                  softmax_side<Team> const& teacher,
                                                  softmax_side<Team> const& student,
                                                  log_ratio<Team> const& ratio,
                                                  typename Team::row const& there) {
  using row = typename Team::row;
  if constexpr (!is_real<typename Team::scalar>) {
    return row(0) < row(0);
  } else {
    typename log_ratio<Team>::template on_lanes<row> const ell_of(ratio);
    row const bound = constant<row>(Team::across ? 3e-2 : 3e-5);
    auto const close = [&](row const& t, row const& s) {
      return math::abs(ell_of(math::max(t, row(teacher.max() - row(1))),
                              math::max(s, row(student.max() - row(1))))) < bound;
    };
    auto const at_student = close(there, student.max());
    if (!math::any<row>(at_student)) return at_student;
    return at_student && close(teacher.max(), Team::at(task.student, teacher.argmax()));
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
