// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What an entry's file derives from: calls of the library, its description.

#include <accuracy/run_losses.hpp>
#include <entries/condition.hpp>
#include <entries/entry.hpp>

namespace entries {

using reference::quad, reference::row_pair;

/// The smaller over the larger of p and q, e^y = 1 + x, which never overflows: what symmetric
/// divergences see.
struct smaller_ratio {
  quad y, x, larger;
  smaller_ratio(row_pair const& row, std::size_t k)
      : y(-reference::abs(row.ell[k])),
        x(reference::expm1(y)),
        larger(row.ell[k] < 0 ? row.q(k) : row.p(k)) {}
};

template <class What, bool HasReverse>
class entry_of : public losses::entry {
 public:
  std::string name() const override { return about().name; }
  bool has_parameter() const override { return !about().parameters.empty(); }
  bool has_reverse() const override { return HasReverse; }

  losses::answer<float> run(losses::policy p, losses::loss const& l,
                            losses::problem<float> const& rows,
                            losses::wanted wants) const override {
    return run_on(p, l, rows, wants);
  }
  losses::answer<double> run(losses::policy p, losses::loss const& l,
                             losses::problem<double> const& rows,
                             losses::wanted wants) const override {
    return run_on(p, l, rows, wants);
  }

 private:
  static auto about() { return describe(What{}); }

  template <class T>
  static losses::answer<T> run_on(losses::policy p, losses::loss const& l,
                                  losses::problem<T> const& rows, losses::wanted wants) {
    What what;
    for (auto const& parameter : about().parameters) what.*parameter.member = l.a;
    auto const by = [&](auto policy) {
      if constexpr (HasReverse) {
        if (l.reversed) return losses::call(policy, divot::reverse(what), rows, wants);
      }
      return losses::call(policy, what, rows, wants);
    };
    return p == losses::policy::seq    ? by(divot::seq)
           : p == losses::policy::simd ? by(divot::simd)
                                       : by(divot::omp(2));
  }
};

}  // namespace entries
