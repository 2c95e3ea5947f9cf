// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/exec/teams.hpp>
#include <divot/row/task.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// A loss as those who walk its rows see it: a function for each kind of team that a call on T may
/// come to. What walks the rows is then compiled once for all losses.
template <class T, class Context>
class row_functions {
 public:
  /// Does row r of the call, or the pack of rows that begins with it.
  template <class Team>
  using function = void (*)(void const* loss, Context const&, Team const&, row_task<Team>&,
                            index r);

  row_functions() = default;
  /// Of this loss, which must outlive the functions' use.
  explicit row_functions(void const* loss) : loss_(loss) {}

  template <class Team>
  void set(function<Team> f) {
    pick<Team>(*this) = f;
  }
  template <class Team>
  void operator()(Context const& call, Team const& team, row_task<Team>& task, index r) const {
    pick<Team> (*this)(loss_, call, team, task, r);
  }

 private:
  template <class Team, class Self>
  static auto& pick(Self& self) {
    if constexpr (std::is_same_v<Team, scalar_team<T>>) {
      return self.by_class_;
    } else if constexpr (std::is_same_v<Team, simd_along<T>>) {
      return self.along_;
    } else if constexpr (std::is_same_v<Team, simd_across<T>>) {
      return self.across_;
    } else if constexpr (std::is_same_v<Team, simd_along<double>>) {
      return self.along_in_double_;
    } else if constexpr (std::is_same_v<Team, scalar_team<double>>) {
      return self.in_double_;
    } else {
      static_assert(std::is_same_v<Team, scalar_team<long double>>);
      return self.in_long_double_;
    }
  }

  void const* loss_ = nullptr;
  function<scalar_team<T>> by_class_ = nullptr;
  function<simd_along<T>> along_ = nullptr;
  function<simd_across<T>> across_ = nullptr;
  function<simd_along<double>> along_in_double_ = nullptr;
  function<scalar_team<double>> in_double_ = nullptr;
  function<scalar_team<long double>> in_long_double_ = nullptr;
};

}  // namespace DIVOT_ABI
}  // namespace divot
