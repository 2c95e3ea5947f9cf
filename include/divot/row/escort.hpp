// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/probability_power.hpp>
#include <divot/row/log_ratio.hpp>
#include <divot/row/log_softmax_lanes.hpp>
#include <divot/row/task.hpp>

#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// S = Σ p^a q^{1−a} for 0 < a < 1, without taking anything from 1.
template <class Team>
DIVOT_HD typename Team::row power_mass(Team const& team, row_task<Team> const& task,
                                       softmax_side<Team> const& teacher,
                                       softmax_side<Team> const& student, double a) {
  using lane = typename Team::lane;
  using row = typename Team::row;
  using T = typename Team::scalar;
  using power = math::probability_power<lane, row>;
  constexpr double low = -std::numeric_limits<double>::infinity();
  power const of_p(teacher.probability(), a), of_q(student.probability(), 1 - a);
  math::power_product<lane, row> const mixed(of_p, of_q);
  lane const gone(static_cast<T>(low));
  team.blocks(0, [](index) {});  // everyone has read the sums
  team.blocks(block_count<Team>(task.classes), [&](index b) {
    typename Team::accumulator total(T(0));
    Team::each(b * block_columns, block_length<Team>(task.classes, b), [&](auto const& place) {
      lane const t = place.load(task.teacher, low), s = place.load(task.student, low);
      lane const product = mixed(of_p.raised(t), of_q.raised(s));
      total += place.keep(math::select(t == gone || s == gone, lane(T(0)), product));
    });
    task.sweep_blocks[b] = {Team::sum(total), row(0)};
  });
  row const total = add_blocks(task).loss;
  team.blocks(0, [](index) {});
  return total;
}

/// The escort e ∝ p^a q^{1−a} of a row by logarithms, for any order up to infinity: Rényi's
/// divergence and its gradients where powers leave the type's range, or there are none.
///
///   ∂R/∂log q_k = −e_k     ∂R/∂log p_k = e_k a/(a − 1)
///
/// At infinity e is shared by the classes of largest p/q, in proportion to q; where R is 0 there is
/// no gradient. Where q_k = 0 < p_k and a > 1 the loss is infinite, and e the share of such
/// classes. Swapped: p and q change places.
template <class Team>
class escort_row {
 public:
  using lane = typename Team::lane;
  using row = typename Team::row;
  using T = typename Team::scalar;
  using side = softmax_side<Team>;

  /// Fills `weights` with multiples of e.
  DIVOT_HD escort_row(Team const& team, row_task<Team> const& task, side const& teacher,
                      side const& student, log_ratio<Team> const& ratio, double order, bool swapped,
                      T* weights)
      : team_(team), task_(task), weights_(weights) {
    bool const infinite = order == std::numeric_limits<double>::infinity();
    constexpr double low = -std::numeric_limits<double>::infinity();
    lane const gone(static_cast<T>(low));
    log_softmax_lanes<lane> const log_p(swapped ? student : teacher);
    log_softmax_lanes<lane> const log_q(swapped ? teacher : student);
    T const* const first = swapped ? task.student : task.teacher;
    T const* const second = swapped ? task.teacher : task.student;
    typename log_ratio<Team>::template on_lanes<lane> const ell_of(ratio);
    auto const score = [&](auto const& place) {
      lane const t = place.load(first, low), s = place.load(second, low);
      auto const no_p = t == gone, no_q = s == gone;
      lane const safe_t = math::select(no_p, lane(T(0)), t);
      lane const safe_s = math::select(no_q, lane(T(0)), s);
      lane const ell = swapped ? lane(-ell_of(safe_s, safe_t)) : ell_of(safe_t, safe_s);
      lane const z = infinite ? ell : lane(log_q(s) + constant<lane>(order) * ell);
      lane const without_q = order > 1 ? lane(-gone) : gone;
      return math::select(no_p, gone, math::select(no_q, without_q, z));
    };
    index const blocks = block_count<Team>(task.classes);
    auto const largest_of = [&](auto const& of) {
      team.blocks(blocks, [&](index b) {
        lane most = gone;
        Team::each(b * block_columns, block_length<Team>(task.classes, b),
                   [&](auto const& place) { most = math::max(most, of(place)); });
        task.sweep_blocks[b] = {row(Team::largest(most)), row(0)};
      });
      row top = task.sweep_blocks[0].loss;
      for (index b = 1; b < blocks; ++b) top = math::max(top, task.sweep_blocks[b].loss);
      team.blocks(0, [](index) {});
      return top;
    };
    row const top = largest_of(score);
    // classes without q outweigh all others; among themselves they count by p
    lane const above = spread<lane>(top);
    auto const endless = above == lane(-gone);
    lane const safe = math::select(endless || above == gone, lane(T(0)), above);
    auto const score_by_p = [&](auto const& place) {
      lane const t = place.load(first, low);
      lane const z =
          constant<lane>(infinite ? 1 : order) * log_p(math::select(t == gone, lane(T(0)), t));
      return math::select(t == gone || score(place) != lane(-gone), gone, z);
    };
    row const top_by_p = math::any<lane>(endless) ? largest_of(score_by_p) : row(0);
    lane const safe_by_p = spread<lane>(math::select(top_by_p == row(low), row(0), top_by_p));
    team.blocks(blocks, [&](index b) {
      typename Team::accumulator total(T(0));
      Team::each(b * block_columns, block_length<Team>(task.classes, b), [&](auto const& place) {
        lane const z = score(place);
        lane by_ratio(T(0));
        if (!infinite) {
          by_ratio = math::exp(lane(z - safe));
        } else if (auto const largest = z == above; math::any<lane>(largest)) {
          by_ratio = math::exp(math::select(largest, log_q(place.load(second, low)), gone));
        }
        lane e = by_ratio;
        if (math::any<lane>(endless)) {
          lane const by_p = math::exp(lane(score_by_p(place) - safe_by_p));
          e = math::select(endless, math::select(z == above, by_p, lane(T(0))), by_ratio);
        }
        e = math::select(z == gone, lane(T(0)), e);
        total += place.keep(e);
        place.store(weights, e);
      });
      task.sweep_blocks[b] = {Team::sum(total), row(0)};
    });
    total_ = add_blocks(task).loss;
    team.blocks(0, [](index) {});
    row const per_order = constant<row>(infinite ? 1 : 1 / (order - 1));
    row const log_sum = infinite ? top : row(top + math::log(total_));
    auto const without_end = top == row(infinity<row>()), disjoint = !(total_ > row(0));
    renyi_ = math::select(without_end || disjoint, infinity<row>(), row(log_sum * per_order));
    total_ = math::select(disjoint, row(1), total_);
  }

  DIVOT_HD row const& renyi() const { return renyi_; }

  /// Turns `weights` into w̃ of `own`, slope·e being −w (the student's) or w: Σ w̃.
  DIVOT_HD row finish(side const& own, row const& slope) {
    row const factor = math::select(renyi_ == row(0), row(0), row(slope / total_));
    row const anchor = row(Team::at(weights_, own.argmax()) * factor / own.top());
    lane const by = spread<lane>(factor), omega = spread<lane>(anchor);
    team_.blocks(0, [](index) {});
    team_.blocks(block_count<Team>(task_.classes), [&](index b) {
      own.blocks()[b].scale = own.block_scale(b);
      lane const scale = spread<lane>(own.blocks()[b].scale);
      typename Team::accumulator total(T(0));
      Team::each_but(b * block_columns, block_length<Team>(task_.classes, b), own.argmax(),
                     [&](auto const& place) {
                       lane const p = lane(place.load(own.exponentials(), 0) * scale);
                       lane const w =
                           place.keep(math::fnma(p, omega, lane(place.load(weights_, 0) * by)));
                       total += w;
                       place.store(weights_, w);
                     });
      task_.sweep_blocks[b] = {row(0), Team::sum(total)};
    });
    row const total = add_blocks(task_).weight;
    team_.blocks(0, [](index) {});
    return total;
  }

 private:
  Team const& team_;
  row_task<Team> const& task_;
  T* weights_;
  row total_, renyi_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
