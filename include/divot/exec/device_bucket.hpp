// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_storage.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// The classes that a row's teacher does not name, where they count as one: by all threads of a
/// team, each knowing of its own classes which are named.
///
///   s_T = T log Σ_tail e^(s_k/T)      ∂D/∂s_k = (q_k/q_T)·∂D/∂s_T  for k in the tail
///
/// The first of them stands for all, with the logit s_T; the others are not there, on either side,
/// and the row function does the rest.
template <class Team>
class device_bucket {
 public:
  using T = typename Team::scalar;

  /// `named(k)` for a class of this thread; x: the student's logits.
  template <class Named>
  DIVOT_HD device_bucket(index n, double temperature, T const* x, Named const& named)
      : temperature_(temperature) {
    double first = static_cast<double>(n), top = none;
    bool bad = false;
    each_class<Team>(n, [&](index k) {
      double const at = static_cast<double>(x[k]);
      bad = bad || !(at < -none);
      if (named(k)) return;
      if (static_cast<double>(k) < first) first = static_cast<double>(k);
      if (at > top) top = at;
    });
    bad_ = any_of<Team>(bad);
    first_ = static_cast<index>(-largest_of_threads<Team>(-first));
    top_ = largest_of_threads<Team>(top);
    double total = 0;
    if (top_ > none) {
      each_class<Team>(n, [&](index k) { total += named(k) ? 0 : exponential(x[k]); });
    }
    total_ = sum_of_threads<Team>(total);
  }

  /// NaN or +inf among the student's logits.
  DIVOT_HD bool is_bad() const { return bad_; }

  /// Both rows with one class for all that are not named; `log_tail`: the teacher's there.
  template <class Named>
  DIVOT_HD void join(index n, double log_tail, T* teacher, T* student, Named const& named) const {
    T const low = static_cast<T>(none);
    each_class<Team>(n, [&](index k) {
      if (named(k)) return;
      teacher[k] = k == first_ ? static_cast<T>(log_tail) : low;
      student[k] =
          k == first_ && top_ > none ? static_cast<T>(top_ + temperature_ * std::log(total_)) : low;
    });
  }

  /// The gradient at that class becomes one at every class; x as it was at first.
  template <class Named>
  DIVOT_HD void part(index n, T const* x, T* g, Named const& named) const {
    bool const mine = first_ < n && owns_class<Team>(first_);
    double const slope = sum_of_threads<Team>(mine ? static_cast<double>(g[first_]) : 0.);
    each_class<Team>(n, [&](index k) {
      if (named(k)) return;
      double const e = top_ > none ? exponential(x[k]) : 0;
      // an infinite slope is that of every class that is there
      double const own = is_finite_number(slope) ? slope * (e / total_) : slope;
      g[k] = e > 0 ? static_cast<T>(own) : T(0);
    });
  }

 private:
  static constexpr double none = -std::numeric_limits<double>::infinity();
  DIVOT_HD double exponential(T x) const {
    return std::exp((static_cast<double>(x) - top_) / temperature_);
  }

  double temperature_, top_, total_;
  index first_;  // n, if all are named
  bool bad_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
