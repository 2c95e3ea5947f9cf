// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/unpack.hpp>
#include <divot/exec/row_memory.hpp>
#include <divot/exec/transformed_source.hpp>
#include <divot/row/mixture_row.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// What messages call one of a mixture's teachers.
class mixture_teacher {
 public:
  explicit mixture_teacher(std::size_t at) {
    std::snprintf(text_, sizeof text_, "teacher %u of the mixture", static_cast<unsigned>(at));
  }
  char const* text() const { return text_; }

 private:
  char text_[48];
};

/// A source of log-probabilities: log Σ_i w_i softmax(t_i/T_i), formed row by row where the reader
/// wants it. One teacher's rows at a time are in scratch beside it.
template <class Team, class... Sources>
class mixture_source {
 public:
  using T = typename Team::scalar;
  static constexpr std::size_t count = sizeof...(Sources);
  static constexpr index spare_rows = 1;
  using numbers = std::array<double, count>;

  mixture_source(numbers const& weights, numbers const& temperatures, batch const& options,
                 Sources const&... teachers)
      : teachers_(teachers...),
        weights_(weights),
        temperatures_(temperatures),
        options_(&options) {}
  index rows() const { return std::get<0>(teachers_).rows(); }
  index cols() const { return std::get<0>(teachers_).cols(); }
  T const* direct(index) const { return nullptr; }
  void const* fetched(index row) const { return std::get<0>(teachers_).fetched(row); }
  bool by_panels() const {
    return unpack([](auto const&... t) { return (... || t.by_panels()); }, teachers_);
  }
  /// Rounding apart, its probabilities sum to what the weights do.
  double tolerance() const { return 1e-9; }

  /// `spare` holds as many rows as `out`, as far apart.
  void read(index first, index n, index classes, T* out, index step, T* spare) const {
    for (index i = 0; i < n; i += panel_rows) {
      read_some(first + i, std::min(panel_rows, n - i), classes, out + i * step, step, spare);
    }
  }
  /// For those who have no scratch memory to lend.
  void read(index first, index n, index classes, T* out, index step) const {
    std::vector<T> own(static_cast<std::size_t>(n * step));
    read(first, n, classes, out, step, own.data());
  }

  /// body(source, its number) for every teacher.
  template <class Body>
  void each_teacher(Body const& body) const {
    std::size_t at = 0;
    unpack([&](auto const&... t) { (body(t, at++), ...); }, teachers_);
  }

  void check(batch const& options, index classes, char const*) const {
    each_teacher([&](auto const& teacher, std::size_t at) {
      mixture_teacher const who(at);
      if (teacher.rows() != rows() || teacher.cols() != cols()) {
        fail(who.text(), " is ", teacher.rows(), "×", teacher.cols(), ", teacher 0 ", rows(), "×",
             cols(), "; they must have the same shape");
      }
      check_source(teacher, options, classes, who.text());
    });
  }
  static mixture_teacher name(std::size_t at) { return mixture_teacher(at); }

 private:
  /// At most panel_rows rows.
  void read_some(index first, index n, index classes, T* out, index step, T* spare) const {
    std::array<mixed_in, panel_rows> outcome;
    outcome.fill(mixed_in::fully);
    each_teacher([&](auto const& teacher, std::size_t at) {
      T* const x = at == 0 ? out : spare;
      read_panel(teacher, first, n, classes, x, step);
      for (index i = 0; i < n; ++i) {
        auto& so_far = outcome[static_cast<std::size_t>(i)];
        if (so_far == mixed_in::not_usable) continue;
        double const t = temperature_of(*options_, first + i, temperatures_[at]);
        so_far = std::max(
            so_far, mix_in<Team>(x + i * step, out + i * step, classes, t, weights_[at], at == 0));
      }
    });
    for (index i = 0; i < n; ++i) {
      T* const p = out + i * step;
      switch (outcome[static_cast<std::size_t>(i)]) {
        case mixed_in::fully:
          take_logarithms<Team>(p, classes);
          break;
        case mixed_in::too_small:
          read_small(first + i, classes, p, spare);
          break;
        case mixed_in::not_usable:
          p[0] = T(std::numeric_limits<double>::quiet_NaN());
          break;
      }
    }
  }
  /// A row with probabilities that are too small to be added up as such.
  DIVOT_COLD void read_small(index row, index classes, T* out, T* spare) const {
    each_teacher([&](auto const& teacher, std::size_t at) {
      T* const x = at == 0 ? out : spare;
      read_panel(teacher, row, 1, classes, x, classes);
      double const t = temperature_of(*options_, row, temperatures_[at]);
      mix_logarithms<Team>(x, out, classes, t, weights_[at], at == 0);
    });
  }

  std::tuple<Sources...> teachers_;
  numbers weights_, temperatures_;
  batch const* options_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
