// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/unpack.hpp>
#include <divot/eigen/arithmetic.hpp>
#include <divot/eigen/checks.hpp>
#include <divot/eigen/mixture.hpp>
#include <divot/exec/mixture_source.hpp>
#include <divot/exec/row_observer.hpp>
#include <divot/exec/transformed_source.hpp>

#include <array>
#include <tuple>

namespace divot {
inline namespace DIVOT_ABI {

/// Labels as a row's index into the classes.
template <class Stored>
struct row_labels {
  Stored values;
  bool empty() const { return values.size() == 0; }
  index operator[](index r) const {
    return static_cast<index>(values[static_cast<decltype(values.size())>(r)]);
  }
  index size() const { return static_cast<index>(values.size()); }
};

/// The rows of an operand, as a team reads them.
template <class Team, class S, int Kind, class... F>
auto make_source(operand<S, Kind, F...> const& given) {
  using T = typename Team::scalar;
  using source = decltype(source_of<T>(given.x));
  if constexpr (Kind == int(operand_kind::probabilities)) {
    return log_source<T, source>(source_of<T>(given.x));
  } else if constexpr (sizeof...(F) > 0) {
    using chain = decltype(bind_transforms<Team>(given.transforms));
    return transformed_source<source, chain>(source_of<T>(given.x),
                                             bind_transforms<Team>(given.transforms));
  } else {
    return source_of<T>(given.x);
  }
}

/// Checks what can be said of each of a mixture's teachers alone, and makes its source of rows.
template <class Team, class Request, class... O>
auto mixture_rows(mixture_operand<O...> const& given, batch const& options, Request const& request,
                  memory_span const& student_memory) {
  std::array<double, sizeof...(O)> temperatures{};
  std::size_t at = 0;
  auto const take = [&](auto const& teacher) {
    mixture_teacher const who(at);
    check_not_null(teacher.x, who.text());
    check_temperature(teacher.temperature, who.text());
    check_overlap(request, student_memory, operand_span(teacher.x));
    temperatures[at++] = teacher.temperature;
  };
  return unpack(
      [&](auto const&... teacher) {
        (take(teacher), ...);
        return mixture_source<Team, decltype(make_source<Team>(teacher))...>(
            given.weights, temperatures, options, make_source<Team>(teacher)...);
      },
      given.teachers);
}

template <class T, class Target>
auto make_target(Target const& target) {
  if constexpr (is_gradient_target<Target>) {
    return strided_target<T, storage_t<decltype(target.matrix)>>(target.matrix);
  } else {
    return no_target<T>{};
  }
}

template <class S>
void take_settings(gradient_target<S> const& g, bool& add, double& scale) {
  add = g.add;
  scale = g.scale;
}
inline void take_settings(no_gradient, bool&, double&) {}

/// Who takes the diagnostics.
template <class T, class S>
auto make_observer(diagnostics_target<S> const& asked, index rows) {
  return row_observer<T, S>(*asked.what, rows);
}
template <class T>
no_observer make_observer(no_diagnostics, index) {
  return {};
}

}  // namespace DIVOT_ABI
}  // namespace divot
