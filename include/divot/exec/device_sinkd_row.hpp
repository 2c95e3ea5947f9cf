// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_sinkd.hpp>
#include <divot/row/softmax_row.hpp>

#include <cmath>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// One-hot or smoothed probabilities of a label.
template <class Team>
DIVOT_HD void write_label(std::int64_t y, double smoothing, index n, typename Team::scalar* to) {
  using T = typename Team::scalar;
  double const share = smoothing / static_cast<double>(n);
  each_class<Team>(n, [&](index k) {
    bool const own = k == static_cast<index>(y);
    to[k] = static_cast<T>(own ? 1 - smoothing + share : share);
  });
}

/// What is compared of a row, by all threads of a team: its softmax, or its numbers. False of a bad
/// row.
///
/// `memory`: two arrays of `step` numbers; `first`: the class that they begin with.
template <class Team, class Call, class Storage>
DIVOT_HD bool read_sinkd_row(Call const& call, device_operand<Storage> const& from,
                             operand_kind kind, typename Team::scalar* to,
                             typename Team::scalar* memory, index step, index first, index r) {
  using T = typename Team::scalar;
  using row = typename Team::row;
  index const n = valid_classes_of(call.options, r, call.classes);
  T* const a = memory - first;
  T* const b = memory + step - first;
  Team const team;
  bool good = n > 0;
  if (kind == operand_kind::labels) {
    good = good && from.y.data[r] >= 0 && from.y.data[r] < n;
    if (good) write_label<Team>(from.y.data[r], from.smoothing, n, a);
  } else if (good) {
    read_row<Team>(from.x, r, n, a);
    if constexpr (compares_numbers<typename Call::ground_type>) {
      bool off = false;
      each_class<Team>(n, [&](index k) { off = off || !is_finite_number(a[k]); });
      good = !any_of<Team>(off);
    } else {
      bool const normalised = kind != operand_kind::logits;
      auto const inverse = inverse_words<row>(normalised ? 1 : call.what.temperature);
      softmax_block<row> block;
      softmax_side<Team> side(a, b, &block, n, inverse.high, normalised, inverse.low);
      good = settle_softmax(team, side) && !side.is_off(stored_tolerance<Storage>);
      if (good) write_softmax<false>(team, side, a);
    }
  }
  if (good) {
    write_row<Team>(device_view<T>(to, call.rows, call.step), r, n, a, false);
  } else if (Team::leads()) {
    call.bad[r] = call.bad[call.rows + call.problem_of(r)] = 1;
  }
  return good;
}

/// A row's gradient with respect to what was given, from the one of what is compared.
template <class Team, class Call, class Storage>
DIVOT_HD void write_sinkd_row(Call const& call, typename Team::scalar const* compared,
                              device_view<Storage> const& to, typename Team::scalar* memory,
                              index step, index first, index r) {
  using T = typename Team::scalar;
  using row = typename Team::row;
  if (call.is_lost(call.problem_of(r))) return;
  if (!is_valid(call.options, r)) {
    if (!call.accumulate) clear_row<Team>(to, r, 0);
    return;
  }
  index const n = valid_classes_of(call.options, r, call.classes);
  T* const a = memory - first;
  T* const b = memory + step - first;
  Team const team;
  read_row<Team>(device_view<T const>(call.bars, call.rows, call.step), r, n, b);
  if constexpr (compares_numbers<typename Call::ground_type>) {
    each_class<Team>(n, [&](index k) { a[k] = static_cast<T>(call.scale * b[k]); });
  } else {
    read_row<Team>(device_view<T const>(compared, call.rows, call.step), r, n, a);
    row partial(0);
    softmax_pullback_row(team, a, b, n, row(call.scale / call.what.temperature), &partial, a);
  }
  write_row<Team>(to, r, n, a, call.accumulate);
}

}  // namespace DIVOT_ABI
}  // namespace divot
