// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/diagnostics.hpp>
#include <divot/row/log_softmax_lanes.hpp>
#include <divot/row/offset.hpp>

#include <algorithm>
#include <functional>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// The sums of a row's diagnostics over some of its classes.
template <class Row>
struct diagnostics_sums {
  Row p_entropy = Row(0), q_entropy = Row(0), cross = Row(0), both_top = Row(0);
  Row p_head = Row(0), p_tail = Row(0), q_head = Row(0), q_tail = Row(0);

  void operator+=(diagnostics_sums const& x) {
    p_entropy = Row(p_entropy + x.p_entropy);
    q_entropy = Row(q_entropy + x.q_entropy);
    cross = Row(cross + x.cross);
    both_top = Row(both_top + x.both_top);
    p_head = Row(p_head + x.p_head);
    p_tail = Row(p_tail + x.p_tail);
    q_head = Row(q_head + x.q_head);
    q_tail = Row(q_tail + x.q_tail);
  }
};

/// What the diagnostics of a row take besides its task. The arrays have room for its classes.
template <class Team>
struct diagnostics_task {
  using T = typename Team::scalar;
  using row = typename Team::row;
  index head = 0;
  double alpha = 1, beta = 0;
  diagnostics_sums<row>* blocks = nullptr;
  T* ordered = nullptr;     // for the choice of the head; may be null without one
  T* student = nullptr;     // q, or null
  T* hardness = nullptr;    // |p^α − q^α|/|α|, or null
  T* confidence = nullptr;  // q^β, or null

  bool writes() const { return student != nullptr || hardness != nullptr || confidence != nullptr; }
};

/// The n-th largest of `count` numbers, 1 ≤ n ≤ count. `room` has as much room.
///
/// The n-th largest of the maxima of disjoint parts is no larger, and few numbers are larger than
/// that.
template <class T>
T nth_largest(T const* x, index count, index n, T* room) {
  auto const choose = [&](index among) {
    std::nth_element(room, room + (n - 1), room + among, std::greater<T>());
    return room[n - 1];
  };
  index const parts = std::max<index>(256, 8 * n);
  if (parts > count / 4) {
    std::copy(x, x + count, room);
    return choose(count);
  }
  std::copy(x, x + parts, room);
  for (index first = parts; first < count; first += parts) {
    index const here = std::min(parts, count - first);
    for (index k = 0; k < here; ++k) room[k] = room[k] < x[first + k] ? x[first + k] : room[k];
  }
  T const least = choose(parts);
  index found = 0;
  for (index k = 0; k < count; ++k) {
    if (x[k] >= least) room[found++] = x[k];
  }
  return choose(found);
}

/// The diagnostics of one row, before its loss: two sweeps over logits that the loss finds in the
/// cache. It uses the task's scratch and leaves its operands alone. Several workers may call it
/// together; all see the same outcome.
template <class Team>
class diagnostics_row {
 public:
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  using row = typename Team::row;
  using side = softmax_side<Team>;
  using sums = diagnostics_sums<row>;
  static constexpr double low = -std::numeric_limits<double>::infinity();

  diagnostics_row(Team const& team, row_task<Team> const& task, diagnostics_task<Team> const& to)
      : team_(team),
        task_(task),
        to_(to),
        teacher_(task.teacher, task.teacher_exponentials, task.teacher_blocks, task.classes,
                 task.teacher_inverse_temperature, task.teacher_normalised,
                 task.teacher_inverse_low),
        student_(task.student, task.student_exponentials, task.student_blocks, task.classes,
                 task.student_inverse_temperature, task.student_normalised,
                 task.student_inverse_low) {}

  /// The numbers; of a bad row, which the loss reports, any.
  row_diagnostics run() {
    index const blocks = block_count<Team>(task_.classes);
    team_.blocks(blocks, [&](index b) {
      teacher_.look(b);
      student_.look(b);
      teacher_.exponentiate(b);
      student_.exponentiate(b);
    });
    if (teacher_.hopeless() || student_.hopeless()) {
      team_.blocks(0, [](index) {});
      return {};
    }
    teacher_.join();
    student_.join();
    team_.blocks(0, [](index) {});
    if (to_.writes()) {
      log_ratio<Team> ratio(teacher_, student_);
      if (to_.hardness != nullptr && !(task_.teacher_normalised && task_.student_normalised)) {
        offset_correction<Team>(team_, task_, teacher_, student_)(ratio, row(0) == row(0));
      }
      team_.blocks(blocks, [&](index b) { write(ratio, b); });
    }
    if (to_.head > 0) {
      T const least = least_of_head();
      team_.blocks(blocks, [&](index b) { to_.blocks[b] = sums_of<true>(least, b); });
    } else {
      team_.blocks(blocks, [&](index b) { to_.blocks[b] = sums_of<false>(T(0), b); });
    }
    sums total;
    for (index b = 0; b < blocks; ++b) total += to_.blocks[b];
    row_diagnostics out = result(total);
    team_.blocks(0, [](index) {});
    return out;
  }

 private:
  /// The smallest logit of the teacher's head.
  T least_of_head() const {
    if (to_.head >= task_.classes) return static_cast<T>(low);
    // one worker looks, and all read
    team_.blocks(1, [&](index) {
      to_.ordered[0] = nth_largest(task_.teacher, task_.classes, to_.head, to_.ordered);
    });
    return to_.ordered[0];
  }

  template <bool Head>
  sums sums_of(T const& least, index b) const {
    log_softmax_lanes<lane> const log_p_of(teacher_), log_q_of(student_);
    lane const p_scale = spread<lane>(teacher_.block_scale(b));
    lane const q_scale = spread<lane>(student_.block_scale(b));
    lane const p_top = spread<lane>(teacher_.max()), q_top = spread<lane>(student_.max());
    lane const zero(T(0)), one(T(1)), from(least);
    using number = typename Team::accumulator;
    number p_entropy(T(0)), q_entropy(T(0)), cross(T(0)), both_top(T(0));
    number p_head(T(0)), p_tail(T(0)), q_head(T(0)), q_tail(T(0));
    T const *const teacher = task_.teacher, *const student = task_.student;
    T const *const p_e = task_.teacher_exponentials, *const q_e = task_.student_exponentials;
    Team::each(b * block_columns, block_length<Team>(task_.classes, b),
               [&](auto const& place) DIVOT_LAMBDA_INLINE {
                 lane const t = place.load(teacher, low), s = place.load(student, low);
                 lane const p = place.load(p_e, 0) * p_scale, q = place.load(q_e, 0) * q_scale;
                 lane const log_p = log_p_of(t), log_q = log_q_of(s);
                 auto const no_p = p == zero;
                 p_entropy += math::select(no_p, zero, lane(-p * log_p));
                 q_entropy += math::select(q == zero, zero, lane(-q * log_q));
                 cross += math::select(no_p, zero, lane(-p * log_q));
                 both_top += place.keep(math::select(t == p_top && s == q_top, one, zero));
                 if constexpr (Head) {
                   auto const head = t >= from;
                   p_head += math::select(head, p, zero);
                   p_tail += math::select(head, zero, p);
                   q_head += math::select(head, q, zero);
                   q_tail += math::select(head, zero, q);
                 }
               });
    return {Team::sum(p_entropy), Team::sum(q_entropy), Team::sum(cross),  Team::sum(both_top),
            Team::sum(p_head),    Team::sum(p_tail),    Team::sum(q_head), Team::sum(q_tail)};
  }

  /// What is told of each class of a block.
  void write(log_ratio<Team> const& ratio, index b) const {
    typename log_ratio<Team>::template on_lanes<lane> const ell_of(ratio);
    log_softmax_lanes<lane> const log_p_of(teacher_), log_q_of(student_);
    lane const q_scale = spread<lane>(student_.block_scale(b));
    T const beta = static_cast<T>(to_.beta);
    Team::each(b * block_columns, block_length<Team>(task_.classes, b), [&](auto const& place) {
      lane const t = place.load(task_.teacher, low), s = place.load(task_.student, low);
      lane const log_q = log_q_of(s);
      if (to_.student != nullptr) {
        place.store(to_.student, lane(place.load(task_.student_exponentials, 0) * q_scale));
      }
      if (to_.hardness != nullptr) {
        place.store(to_.hardness, hardness(ell_of(t, s), log_p_of(t), log_q));
      }
      if (to_.confidence != nullptr) {
        place.store(to_.confidence,
                    beta == T(0) ? lane(T(1)) : math::exp(lane(lane(beta) * log_q)));
      }
    });
  }

  /// max(p^α, q^α)·(1 − exp(−|α·ell|))/|α|, which neither cancels nor overflows before its time.
  lane hardness(lane const& ell, lane const& log_p, lane const& log_q) const {
    lane const gone(static_cast<T>(low)), never(static_cast<T>(-low)), zero(T(0));
    auto const no_p = log_p == gone, no_q = log_q == gone;
    lane const distance = math::select(no_p || no_q, never, math::abs(ell));
    T const alpha = static_cast<T>(to_.alpha), size = math::abs(alpha);
    lane value = distance;
    if (size > T(0)) {
      lane const larger = math::max(lane(lane(alpha) * log_p), lane(lane(alpha) * log_q));
      lane const missing = -math::expm1(lane(-lane(size) * distance));
      value = math::select(missing == zero, zero, lane(math::exp(larger) * missing / lane(size)));
    }
    return math::select(no_p && no_q, zero, value);
  }

  row_diagnostics result(sums const& total) const {
    auto const number = [](row const& x) { return static_cast<double>(x); };
    row_diagnostics out;
    out.teacher_entropy = number(total.p_entropy);
    out.student_entropy = number(total.q_entropy);
    out.cross_entropy = number(total.cross);
    out.agreement = number(total.both_top) > 0 ? 1 : 0;
    out.teacher_head = number(total.p_head);
    out.teacher_tail = number(total.p_tail);
    out.student_head = number(total.q_head);
    out.student_tail = number(total.q_tail);
    if (task_.has_label) {
      out.teacher_on_label = on_label(teacher_);
      out.student_on_label = on_label(student_);
    }
    return out;
  }
  double on_label(side const& of) const {
    return static_cast<double>(math::exp(of.log_probability(Team::at(of.data(), task_.label))));
  }

  Team const& team_;
  row_task<Team> const& task_;
  diagnostics_task<Team> const& to_;
  side teacher_, student_;
};

/// −(g_k − Σ_i q_i g_i)/T in place of q. An infinite g_k decides for its class; classes without
/// probability count nothing in the sum.
template <class Team>
void log_ratio_of_step(typename Team::scalar const* gradient, index classes, double temperature,
                       typename Team::scalar* q) {
  using lane = typename Team::lane;
  using T = typename Team::scalar;
  lane const zero(T(0));
  typename Team::accumulator sum(T(0));
  Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const share = place.load(q, 0);
    sum += math::select(share > zero, lane(share * place.load(gradient, 0)), zero);
  });
  auto const total = static_cast<double>(Team::sum(sum));
  lane const mean(total == total ? static_cast<T>(total) : T(0));  // NaN: infinities of both signs
  lane const per_temperature(static_cast<T>(1 / temperature));
  Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
    lane const g = place.load(gradient, 0);
    lane const change = math::select(g - g == zero, lane(mean - g), lane(-g));
    place.store(q, lane(change * per_temperature));
  });
}

}  // namespace DIVOT_ABI
}  // namespace divot
