// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/softmax_rows.hpp>
#include <divot/loss_call.hpp>

#include <cmath>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

namespace softmax_detail {

template <class X>
using arithmetic = typename arithmetic_of<operand_storage<std::remove_cvref_t<X>>,
                                          operand_storage<std::remove_cvref_t<X>>>::type;

/// Entry r of anything with [], whatever it counts with.
template <class Entries>
decltype(auto) entry(Entries&& x, index r) {
  return x[static_cast<decltype(x.size())>(r)];
}

/// Shape and option checks common to the family; returns the number of valid classes.
template <class Source>
index check_call(Source const& x, batch const& options) {
  check_batch(options, x.rows(), x.cols());
  index const classes = settle_classes(options, x.cols(), x.cols());
  if (x.rows() > 0 && classes == 0) fail("there are ", x.rows(), " rows and no classes");
  return classes;
}

inline void check_same(index rows, index cols, index other_rows, index other_cols,
                       char const* what) {
  if (rows != other_rows || cols != other_cols) {
    fail(what, " is ", other_rows, "×", other_cols, ", the input ", rows, "×", cols,
         "; they must have the same shape");
  }
}

template <class T, class Source>
void report(index row, index bad, Source const& x, batch const& options, index classes,
            bool others_done) {
  report_bad_row<T>(no_source<T>{}, operand_kind::labels, x, operand_kind::logits, row,
                    valid_classes_of(options, row, classes), bad, others_done, "input");
}

/// An output may overwrite its own input, element for element, and nothing else.
inline void check_replaces(memory_span const& output, memory_span const& input) {
  if (overlap(output, input) && !in_place(output, input)) {
    fail("input and output overlap without being the same elements");
  }
}

/// Softmax statistics of each row, then finish(team, side, row, out, keeper).
template <execution_policy Policy, class X, class Target, class Finish>
void with_softmax(Policy const& policy, X const& given, Target const& target, batch const& options,
                  Finish const& finish) {
  decltype(auto) x = as_operand(given);
  using operand_type = std::remove_cvref_t<decltype(x)>;
  static_assert(kind_of<operand_type> == operand_kind::logits, "divot: softmax takes logits");
  static_assert(!has_transforms<operand_type>,
                "divot: softmax and its family take logits as they are: softcap, bias, standardise "
                "and mask belong to losses");
  using T = arithmetic<operand_type>;
  static_assert(is_real<T> || std::is_same_v<Policy, seq_policy>,
                "divot: this scalar type runs on divot::seq only: pass it as the policy");
  check_policy(policy);
  check_not_null(x.x, "the input");
  check_temperature(x.temperature, "the input");
  auto const rows = source_of<T>(x.x);
  index const classes = check_call(rows, options);
  auto const to = make_target<T>(target);
  if constexpr (is_gradient_target<Target>) {
    check_target(target, rows.rows(), rows.cols(), "the output", "the input");
    check_replaces(span_of(target.matrix), operand_span(x.x));
  }
  screen_rows<T>(options, classes, no_source<T>{}, operand_kind::labels, rows, operand_kind::logits,
                 [&](index row, index bad) { report<T>(row, bad, rows, options, classes, false); });
  bool add = false;
  double scale = 1;
  take_settings(target, add, scale);
  auto const bad = transform_rows<T>(
      runs_as(policy), options, rows.rows(), classes, rows, no_source<T>{}, to, add, scale,
      [&](auto const& team, index r, index n, T const* in, T const*, T* out, auto const& memory,
          bool keeper) {
        using team_type = std::remove_cvref_t<decltype(team)>;
        using row = typename team_type::row;
        double const t = temperature_of(options, r, x.temperature);
        softmax_side<team_type> side(in, memory.student_exponentials.data(),
                                     memory.student_blocks.data(), n,
                                     row(row(1) / constant<row>(t)), false);
        if (!settle_softmax(team, side)) return false;
        finish(team, side, r, out, keeper);
        return true;
      });
  if (bad.first > 0) report<T>(bad.second, bad.first, rows, options, classes, true);
}

/// Rows of two matrices of one shape, then finish(team, y, upstream, out, partial).
template <execution_policy Policy, class Y, class U, class G, class Finish>
void with_pairs(Policy const& policy, Y const& y, U const& upstream, G&& g, double temperature,
                batch const& options, Finish const& finish) {
  using T = typename arithmetic_of<storage_t<Y>, storage_t<U>>::type;
  check_policy(policy);
  check_temperature(temperature, "the pullback");
  auto const a = source_of<T>(y);
  auto const b = source_of<T>(upstream);
  auto const target = target_of(std::forward<G>(g));
  auto const to = make_target<T>(target);
  index const classes = check_call(a, options);
  check_same(a.rows(), a.cols(), b.rows(), b.cols(), "the upstream gradient");
  check_not_null(y, "the input");
  check_not_null(upstream, "the upstream gradient");
  check_target(target, a.rows(), a.cols(), "the output", "the input");
  check_replaces(span_of(target.matrix), operand_span(y));
  check_replaces(span_of(target.matrix), operand_span(upstream));
  transform_rows<T>(runs_as(policy), options, a.rows(), classes, a, b, to, target.add, target.scale,
                    [&](auto const& team, index r, index n, T const* in, T const* up, T* out,
                        auto const& memory, bool) {
                      using row = typename std::remove_cvref_t<decltype(team)>::row;
                      // partial sums take the place of block records, which are larger
                      auto* const partial = reinterpret_cast<row*>(memory.sweep_blocks.data());
                      double const t = temperature_of(options, r, temperature);
                      finish(team, in, up, n, row(row(1) / constant<row>(t)), partial, out);
                      return true;
                    });
}

}  // namespace softmax_detail

/// softmax(x/T), row by row.
///
/// x    rows × classes: logits(x, T), or a bare matrix at temperature 1; −inf gives exactly 0
/// out  rows × classes, may be x itself; or accumulate(matrix, scale)
/// Batch options used: mask (rows left out become 0), valid_classes and valid_classes_per_row (the
/// rest becomes 0), temperatures, check, workspace. The policy may be left out: simd.
template <execution_policy Policy, operand_like X, class Out>
void softmax(Policy const& policy, X const& x, Out&& out, batch const& options = {}) {
  softmax_detail::with_softmax(policy, x, target_of(std::forward<Out>(out)), options,
                               [](auto const& team, auto const& side, index, auto* to, bool) {
                                 write_softmax<false>(team, side, to);
                               });
}

/// log softmax(x/T), row by row; arguments as for softmax.
template <execution_policy Policy, operand_like X, class Out>
void log_softmax(Policy const& policy, X const& x, Out&& out, batch const& options = {}) {
  softmax_detail::with_softmax(policy, x, target_of(std::forward<Out>(out)), options,
                               [](auto const& team, auto const& side, index, auto* to, bool) {
                                 write_softmax<true>(team, side, to);
                               });
}

/// log Σ_k exp(x_k/T) of each row.
///
/// out  rows numbers: anything with size() and []; masked rows become 0
template <execution_policy Policy, operand_like X, class Out>
void logsumexp(Policy const& policy, X const& x, Out&& out, batch const& options = {}) {
  decltype(auto) operand = as_operand(x);
  using T = softmax_detail::arithmetic<std::remove_cvref_t<decltype(operand)>>;
  index const rows = source_of<T>(operand.x).rows();
  if (static_cast<index>(out.size()) != rows) {
    fail("logsumexp: the output has ", out.size(), " entries for ", rows, " rows");
  }
  // nothing is written before every check has passed
  check_policy(policy);
  check_not_null(operand.x, "the input");
  check_temperature(operand.temperature, "the input");
  softmax_detail::check_call(source_of<T>(operand.x), options);
  for (index r = 0; r < rows; ++r) {
    if (!is_valid(options, r)) {
      softmax_detail::entry(out, r) = 0;
    }
  }
  softmax_detail::with_softmax(policy, operand, no_gradient{}, options,
                               [&](auto const&, auto const& side, index r, auto*, bool keeper) {
                                 auto&& entry = softmax_detail::entry(out, r);
                                 if (!keeper) return;
                                 entry = static_cast<std::remove_cvref_t<decltype(entry)>>(
                                     side.max() * side.inverse_temperature() + side.log_z());
                               });
}

/// The pullback of softmax: x̄ = y ∘ (ȳ − ⟨ȳ, y⟩)/T.
///
/// y         rows × classes, what softmax returned
/// upstream  ȳ, rows × classes
/// out       x̄, rows × classes; may be y or upstream itself; or accumulate(matrix, scale)
template <execution_policy Policy, matrix_like Y, matrix_like U, class Out>
void softmax_pullback(Policy const& policy, Y const& y, U const& upstream, Out&& out,
                      double temperature = 1, batch const& options = {}) {
  softmax_detail::with_pairs(
      policy, y, upstream, std::forward<Out>(out), temperature, options,
      [](auto const& team, auto const&... rest) { softmax_pullback_row(team, rest...); });
}

/// The pullback of log_softmax: x̄ = (ȳ − e^y Σȳ)/T; arguments as for softmax_pullback, y being
/// what log_softmax returned.
template <execution_policy Policy, matrix_like Y, matrix_like U, class Out>
void log_softmax_pullback(Policy const& policy, Y const& y, U const& upstream, Out&& out,
                          double temperature = 1, batch const& options = {}) {
  softmax_detail::with_pairs(
      policy, y, upstream, std::forward<Out>(out), temperature, options,
      [](auto const& team, auto const&... rest) { log_softmax_pullback_row(team, rest...); });
}

/// The pullback of logsumexp: x̄ = ȳ·softmax(x/T)/T.
///
/// x         rows × classes: logits(x, T), or a bare matrix at temperature 1
/// upstream  ȳ, rows numbers: anything with size() and []
/// out       x̄, rows × classes; may be x itself
template <execution_policy Policy, operand_like X, class U, class Out>
void logsumexp_pullback(Policy const& policy, X const& x, U const& upstream, Out&& out,
                        batch const& options = {}) {
  auto const target = target_of(std::forward<Out>(out));
  if (static_cast<index>(upstream.size()) != target.matrix.rows) {
    fail("logsumexp_pullback: the upstream gradient has ", upstream.size(), " entries for ",
         target.matrix.rows, " rows");
  }
  softmax_detail::with_softmax(
      policy, x, target, options, [&](auto const& team, auto const& side, index r, auto* to, bool) {
        using row = typename std::remove_cvref_t<decltype(team)>::row;
        logsumexp_pullback_row(team, side, row(softmax_detail::entry(upstream, r)), to);
      });
}

template <operand_like X, class Out>
void softmax(X const& x, Out&& out, batch const& options = {}) {
  softmax(simd, x, std::forward<Out>(out), options);
}
template <operand_like X, class Out>
void log_softmax(X const& x, Out&& out, batch const& options = {}) {
  log_softmax(simd, x, std::forward<Out>(out), options);
}
template <operand_like X, class Out>
void logsumexp(X const& x, Out&& out, batch const& options = {}) {
  logsumexp(simd, x, std::forward<Out>(out), options);
}
template <matrix_like Y, matrix_like U, class Out>
void softmax_pullback(Y const& y, U const& upstream, Out&& out, double temperature = 1,
                      batch const& options = {}) {
  softmax_pullback(simd, y, upstream, std::forward<Out>(out), temperature, options);
}
template <matrix_like Y, matrix_like U, class Out>
void log_softmax_pullback(Y const& y, U const& upstream, Out&& out, double temperature = 1,
                          batch const& options = {}) {
  log_softmax_pullback(simd, y, upstream, std::forward<Out>(out), temperature, options);
}
template <operand_like X, class U, class Out>
void logsumexp_pullback(X const& x, U const& upstream, Out&& out, batch const& options = {}) {
  logsumexp_pullback(simd, x, upstream, std::forward<Out>(out), options);
}

}  // namespace DIVOT_ABI
}  // namespace divot
