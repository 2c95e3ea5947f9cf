// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/unpack.hpp>
#include <divot/row/standardise_row.hpp>
#include <divot/row/transforms.hpp>

#include <limits>
#include <tuple>

namespace divot {
inline namespace DIVOT_ABI {

/// Transforms of a row, the first one first.
template <class Team, class... Steps>
class transform_chain {
 public:
  using T = typename Team::scalar;
  /// Rows of scratch memory that the pullback takes: the logits, and what the steps keep.
  static constexpr index pull_rows = 1 + (index(0) + ... + index(Steps::keeps));

  DIVOT_HD explicit transform_chain(Steps const&... steps) : steps_(steps...) {}

  void check(index rows, index cols, batch const& options, index classes, char const* who) const {
    unpack([&](auto const&... s) { (s.check(rows, cols, options, classes, who), ...); }, steps_);
  }

  /// x becomes y. A row with NaN or +inf in it is left alone, but for a NaN at its beginning, which
  /// the row function reports: caps and masks would hide them.
  DIVOT_HD void apply(T* x, index classes, index row) const {
    if (!is_usable(x, classes)) {
      if (owns_class<Team>(0)) x[0] = T(std::numeric_limits<double>::quiet_NaN());
      return;
    }
    unpack([&](auto const&... s) { (s.apply(x, classes, row), ...); }, steps_);
  }

  /// ∂/∂y at g becomes ∂/∂x. `memory` holds pull_rows rows, `step` apart, the logits in the first.
  DIVOT_HD void pull(T* g, index classes, index row, T* memory, index step) const {
    pull_from<0>(g, classes, row, memory, memory + step, step);
  }

 private:
  template <std::size_t I>
  DIVOT_HD void pull_from(T* g, index classes, index row, T* x, T* kept, index step) const {
    if constexpr (I < sizeof...(Steps)) {
      auto const& s = std::get<I>(steps_);
      using type = std::remove_cvref_t<decltype(s)>;
      T note(0);
      if constexpr (type::keeps && any_reads_from<I + 1>()) {
        note = s.record(x, classes, row, kept);
      } else if constexpr (type::keeps) {
        note = s.record_only(x, classes, row, kept);
      } else if constexpr (any_reads_from<I + 1>()) {
        s.apply(x, classes, row);
      }
      pull_from<I + 1>(g, classes, row, x, type::keeps ? kept + step : kept, step);
      s.pull(g, classes, row, kept, note);
    }
  }

  /// Whether a later step needs its input for the pullback.
  template <std::size_t I>
  static constexpr bool any_reads_from() {
    if constexpr (I < sizeof...(Steps)) {
      return std::tuple_element_t<I, std::tuple<Steps...>>::reads || any_reads_from<I + 1>();
    } else {
      return false;
    }
  }

  DIVOT_HD static bool is_usable(T const* x, index classes) {
    using lane = typename Team::lane;
    lane const high = infinity<lane>(), nothing(T(0)), one(T(1));
    lane bad = nothing;
    Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      bad = math::select(place.load(x, 0) < high, bad, one);
    });
    return !(Team::largest(bad) > T(0));
  }

  std::tuple<Steps...> steps_;
};

/// All of an operand's transforms, made ready for a team's rows.
template <class Team, class... F>
DIVOT_HD auto bind_transforms(std::tuple<F...> const& transforms) {
  return unpack(
      [](auto const&... f) {
        return transform_chain<Team, decltype(bind_transform<Team>(f))...>(
            bind_transform<Team>(f)...);
      },
      transforms);
}

}  // namespace DIVOT_ABI
}  // namespace divot
