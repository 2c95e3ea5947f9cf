// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_operands.hpp>
#include <divot/exec/device_storage.hpp>
#include <divot/row/softmax_row.hpp>

#include <cstdint>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// The softmax family, by what comes out of a row.
enum class softmax_task {
  softmax,
  log_softmax,
  logsumexp,
  logsumexp_pullback,   // from x and a number a row
  softmax_pullback,     // from what softmax returned and what arrives
  log_softmax_pullback  // from what log_softmax returned, likewise
};
constexpr bool takes_pairs(softmax_task t) {
  return t == softmax_task::softmax_pullback || t == softmax_task::log_softmax_pullback;
}

/// A call of the softmax family on a device, in the form that its kernel takes.
template <class In, class Upstream, class Out>
struct device_softmax {
  device_view<In const> x = {};  // or y
  device_view<Upstream const> upstream = {};
  device_span<double const> row_upstream = {};
  device_view<Out> out = {};
  device_span<double> row_out = {};
  double temperature = 1;
  device_batch options = {};
  index rows = 0, classes = 0;
};

template <class X, class Out>
auto softmax_of(X const& x, device_view<Out> out, device_batch const& options) {
  auto const rows = as_device_rows(x);
  using operand = std::remove_const_t<decltype(rows)>;
  static_assert(operand::kind == operand_kind::logits &&
                    std::is_same_v<typename operand::transform_list, std::tuple<>>,
                "divot: softmax takes logits as they are");
  device_softmax<typename operand::storage, float, Out> call;
  call.x = rows.x;
  call.temperature = rows.temperature;
  call.out = out;
  call.options = options;
  return call;
}
template <class Y, class U, class Out>
auto pullback_of(device_view<Y> y, device_view<U> upstream, device_view<Out> out,
                 double temperature, device_batch const& options) {
  device_softmax<std::remove_const_t<Y>, std::remove_const_t<U>, Out> call;
  call.x = y;
  call.upstream = upstream;
  call.temperature = temperature;
  call.out = out;
  call.options = options;
  return call;
}

/// One row of it, by all threads of a team. False of a bad row, whose output is left as it was.
///
/// `memory`: two arrays of `step` numbers; `first`: the class that they begin with.
template <softmax_task Task, class Team, class Call>
DIVOT_HD bool device_softmax_row(Call const& call, typename Team::scalar* memory, index step,
                                 index first, index r) {
  using T = typename Team::scalar;
  using row = typename Team::row;
  device_batch const& options = call.options;
  constexpr bool rows_out = Task == softmax_task::logsumexp;
  if (!is_valid(options, r)) {
    if constexpr (rows_out) {
      if (Team::leads()) call.row_out.data[r] = 0;
    } else {
      clear_row<Team>(call.out, r, 0);
    }
    return true;
  }
  index const n = valid_classes_of(options, r, call.classes);
  double const t = temperature_of(options, r, call.temperature);
  if (!(n > 0 && t > 0 && t < infinity<double>())) return false;
  T* const a = memory - first;
  T* const b = memory + step - first;
  Team const team;
  read_row<Team>(call.x, r, n, a);
  if constexpr (takes_pairs(Task)) read_row<Team>(call.upstream, r, n, b);
  row const inverse = row(1) / constant<row>(t);
  if constexpr (takes_pairs(Task)) {
    row partial(0);
    if constexpr (Task == softmax_task::softmax_pullback) {
      softmax_pullback_row(team, a, b, n, inverse, &partial, a);
    } else {
      log_softmax_pullback_row(team, a, b, n, inverse, &partial, a);
    }
  } else {
    softmax_block<row> block;
    softmax_side<Team> side(a, b, &block, n, inverse, false);
    if (!settle_softmax(team, side)) return false;
    if constexpr (Task == softmax_task::softmax) {
      write_softmax<false>(team, side, a);
    } else if constexpr (Task == softmax_task::log_softmax) {
      write_softmax<true>(team, side, a);
    } else if constexpr (Task == softmax_task::logsumexp) {
      if (Team::leads()) call.row_out.data[r] = side.max() * inverse + side.log_z();
    } else {
      logsumexp_pullback_row(team, side, row(call.row_upstream.data[r]), a);
    }
  }
  if constexpr (!rows_out) write_row<Team>(call.out, r, n, a, false);
  return true;
}

}  // namespace DIVOT_ABI
}  // namespace divot
