// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/sweep.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// Where a gradient goes, and the numbers that turn w̃ into it.
template <class Team>
struct projection {
  using T = typename Team::scalar;
  using row = typename Team::row;

  T const* weights;   // w̃
  row total;          // Σ w̃
  row factor;         // scale/T
  row pull = row(0);  // adds pull·q: the z-loss
  T* target;
  T const* before = nullptr;  // added: the gradient of earlier groups
  bool add = false;           // add to what the target holds
  bool stream = false;        // write past the caches
  bool temperature = false;   // also Σ (x_k − max)·g_k
};

/// The last sweep over a block: g_k = (w̃_k − q_k Σw̃)·factor (+ pull·q_k), written once.
///
/// Puts Σ (x_k − max)·g_k of the divergence part into sweep_blocks when asked to.
template <class Team>
DIVOT_INLINE void project_block(row_task<Team> const& task, softmax_side<Team> const& side,
                                projection<Team> const& to, index b) {
  using lane = typename Team::lane;
  using row = typename Team::row;
  using T = typename Team::scalar;
  row const scale = side.blocks()[b].scale;
  lane const total = spread<lane>(row(scale * to.total)), factor = spread<lane>(to.factor);
  lane const pull = spread<lane>(row(scale * to.pull));
  lane const max = spread<lane>(side.max());
  bool const pulls = math::any<row>(to.pull != row(0));
  bool const plain = to.before == nullptr && !to.add && !to.temperature && !pulls;
  T const* const exponentials = side.exponentials();
  T const* const weights = to.weights;
  T* const target = to.target;
  index const first = b * block_columns, count = block_length<Team>(task.classes, b);
  typename Team::accumulator moment(T(0));
  auto const projected = [=](auto const& place, lane const& e) DIVOT_LAMBDA_INLINE {
    return lane(math::fnma(e, total, lane(place.load(weights, 0))) * factor);
  };
  if (plain && to.stream) {
    Team::each(first, count, [=](auto const& place) DIVOT_LAMBDA_INLINE {
      place.stream(target, projected(place, place.load(exponentials, 0)));
    });
  } else if (plain) {
    Team::each(first, count, [=](auto const& place) DIVOT_LAMBDA_INLINE {
      place.store(target, projected(place, place.load(exponentials, 0)));
    });
  } else {
    Team::each(first, count, [&](auto const& place) {
      lane const e = place.load(exponentials, 0);
      lane g = projected(place, e);
      if (to.temperature) {
        lane const x = place.load(side.data(), 0);
        moment += math::select(g == lane(T(0)), lane(T(0)), lane((x - max) * g));
      }
      if (pulls) g = math::fma(e, pull, g);
      if (to.before != nullptr) g = g + place.load(to.before, 0);
      if (to.add) g = g + place.load(target, 0);
      place.store(target, g);
    });
  }
  if (to.temperature) task.sweep_blocks[b].loss = Team::sum(moment);
}

/// For a student given as probabilities: g_k = (w̃_k/q_k − Σw̃)·factor; where q_k = 0 the limit.
///
/// `limit(place, b)` gives ω − ω_anchor as q → 0.
template <class Team, class Limit>
DIVOT_HD void project_tangent_block(row_task<Team> const& task, softmax_side<Team> const& side,
                                    projection<Team> const& to, Limit const& limit, index b) {
  using lane = typename Team::lane;
  using T = typename Team::scalar;
  constexpr double low = -std::numeric_limits<double>::infinity();
  lane const scale = spread<lane>(side.blocks()[b].scale);
  lane const total = spread<lane>(to.total), factor = spread<lane>(to.factor);
  auto const nothing = factor == lane(T(0));
  Team::each(b * block_columns, block_length<Team>(task.classes, b), [&](auto const& place) {
    lane const q = place.load(side.exponentials(), 0) * scale;
    auto const gone = q == lane(T(0));
    lane const w = place.load(to.weights, 0);
    lane const ratio = math::select(gone, lane(limit(place, b)), lane(w / q));
    // a row of weight 0 has gradient 0, where it is infinite, too
    lane g = math::select(nothing, lane(T(0)), lane((ratio - total) * factor));
    if (task.teacher != nullptr) {
      auto const absent = gone && place.load(task.teacher, low) == lane(static_cast<T>(low));
      g = math::select(absent, lane(T(0)), g);
    }
    if (to.before != nullptr) g = g + place.load(to.before, 0);
    if (to.add) g = g + place.load(to.target, 0);
    place.store(to.target, g);
  });
}

/// A row whose Σ w̃ is infinite even in the widest type: each entry gets its exact sign.
///
/// Classes whose own w is infinite go to ±inf, the others to the opposite: with respect to logits
/// those of q_k > 0, of a student given as probabilities (Tangent) all of them. When the infinite
/// classes hold all of the student's mass, theirs is what keeps the sum 0, in proportion to q.
/// Classes with q_k = 0 keep their own w.
template <bool Tangent, class Team>
DIVOT_HD DIVOT_COLD void project_infinite(row_task<Team> const& task,
                                          softmax_side<Team> const& side,
                                          projection<Team> const& to) {
  using T = typename Team::scalar;
  T const infinite = infinity<T>();
  bool elsewhere = false;
  T sign(0), mass(0), absent(0);  // mass: Σ q of the infinite ones; absent: Σ w of those without q
  auto const q = [&](index k) {
    return T(side.exponentials()[k] * side.block_scale(k / block_columns));
  };
  for (index k = 0; k < task.classes; ++k) {
    T const w = to.weights[k];
    if (w == infinite || w == -infinite) {
      if (sign == T(0)) sign = w > T(0) ? T(1) : T(-1);
      mass += q(k);
    } else if (side.exponentials()[k] > T(0)) {
      elsewhere = true;
    } else {
      absent += w;
    }
  }
  for (index k = 0; k < task.classes; ++k) {
    T const w = to.weights[k];
    bool const own = w == infinite || w == -infinite;
    T g(0);
    if (own && elsewhere) {
      g = w * to.factor;
    } else if (own && !Tangent && mass > T(0)) {
      g = -absent * (q(k) / mass) * to.factor;  // with equal slopes, however large
    } else if (!own && sign != T(0) && (Tangent || side.exponentials()[k] > T(0))) {
      g = -sign * infinite * to.factor;
    } else if (!own) {
      g = w * to.factor;
    }
    if (to.factor == T(0)) g = T(0);
    if (to.before != nullptr) g += to.before[k];
    if (to.add) g += to.target[k];
    to.target[k] = g;
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
