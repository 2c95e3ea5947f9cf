// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/exp_complement.hpp>
#include <divot/core/options.hpp>
#include <divot/core/transforms.hpp>
#include <divot/row/own_classes.hpp>

#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// A transform of a row of logits, with its pullback. Each offers
///   check(rows, cols, options, classes, who)   throws what is wrong with its parameters
///   apply(x, classes, row)                     x becomes y
///   record(x, classes, row, kept)              the same, leaving in `kept` and in the number it
///                                              returns what its pullback needs
///   pull(g, classes, row, kept, note)          ∂/∂y becomes ∂/∂x
/// and says whether it keeps a row (`keeps`), needs its input to do so (`reads`), and rounds
/// (`rounds`). A class that is −inf is absent and stays so; behind a transform that moves values it
/// has gradient 0.

inline void check_cap(double cap, char const* who) {
  // its inverse must be a number too
  if (!(cap > 0) || !std::isfinite(cap) || !std::isfinite(1 / cap)) {
    fail(who, ": softcap's cap is ", cap, "; it must be positive and finite");
  }
}

/// y = c·tanh(x/c), ∂y/∂x = sech²(x/c).
template <class Team>
class softcap_row {
 public:
  using T = typename Team::scalar;
  using lane = typename Team::lane;
  static constexpr bool keeps = true, reads = true;

  DIVOT_HD explicit softcap_row(double cap) : cap_(cap) {}

  void check(index, index, batch const&, index, char const* who) const { check_cap(cap_, who); }
  DIVOT_HD void apply(T* x, index classes, index) const { move<true, false>(x, classes, nullptr); }
  DIVOT_HD T record(T* x, index classes, index, T* kept) const {
    move<true, true>(x, classes, kept);
    return T(0);
  }
  /// As record, where nobody needs y.
  DIVOT_HD T record_only(T* x, index classes, index, T* kept) const {
    move<false, true>(x, classes, kept);
    return T(0);
  }
  DIVOT_HD void pull(T* g, index classes, index, T const* kept, T const&) const {
    Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      // an infinite slope of the loss does not pass a cap that is flat
      lane const slope = place.load(kept, 0);
      place.store(g, math::select(slope == lane(T(0)), lane(T(0)), lane(place.load(g, 0) * slope)));
    });
  }

 private:
  /// With E = e^(−2|z|), z = x/c: tanh|z| = (1 − E)/(1 + E), sech² z = 4E/(1 + E)².
  template <bool Value, bool Slope>
  DIVOT_HD void move(T* x, index classes, T* kept) const {
    // 1/c rounded is another cap's, an ulp away: nothing is lost between teacher and student
    lane const cap = constant<lane>(cap_), inverse = constant<lane>(-2 / cap_);
    lane const low = -infinity<lane>(), one(T(1)), nothing(T(0));
    Team::each(0, classes, [&](auto const& place) DIVOT_LAMBDA_INLINE {
      lane const a = place.load(x, 0), z = lane(math::abs(a) * inverse);
      auto const [e, less] = math::exp_and_complement(z);
      lane const share = lane(one / lane(one + e));
      if constexpr (Slope) place.store(kept, lane(lane(e * lane(T(4))) * lane(share * share)));
      if constexpr (Value) {
        lane const size = lane(lane(less * share) * cap);
        place.store(x, math::select(a == low, a, math::select(a < nothing, lane(-size), size)));
      }
    });
  }

  double cap_;
};

/// y_k = x_k + b_k; Entries: T(k) and size().
template <class Team, class Entries>
class bias_row {
 public:
  using T = typename Team::scalar;
  static constexpr bool keeps = false, reads = false;

  DIVOT_HD explicit bias_row(Entries const& b) : b_(b) {}

  void check(index, index cols, batch const&, index classes, char const* who) const {
    if (b_.size() != cols) {
      fail(who, ": the bias has ", b_.size(), " entries for ", cols, " columns");
    }
    for (index k = 0; k < classes; ++k) {
      if (!std::isfinite(b_.as_double(k))) {
        fail(who, ": the bias of class ", k, " is ", b_.as_double(k),
             "; it must be finite (a mask leaves classes out)");
      }
    }
  }
  DIVOT_HD void apply(T* x, index classes, index) const {
    each_class<Team>(classes, [&](index k) DIVOT_LAMBDA_INLINE { x[k] = T(x[k] + b_(k)); });
  }
  DIVOT_HD void pull(T*, index, index, T const*, T const&) const {}

 private:
  Entries b_;
};

/// y_k = x_k where keep(row, k), −inf elsewhere; the gradient there is 0.
template <class Team, class Keep>
class mask_row {
 public:
  using T = typename Team::scalar;
  static constexpr bool keeps = false, reads = false;

  DIVOT_HD explicit mask_row(Keep const& keep) : keep_(keep) {}

  void check(index rows, index cols, batch const& options, index classes, char const* who) const {
    keep_.check_shape(rows, cols, who);
    for (index r = 0; r < rows; ++r) {
      if (!is_valid(options, r)) continue;
      index const n = valid_classes_of(options, r, classes);
      index k = 0;
      while (k < n && !keep_(r, k)) ++k;
      if (k == n) fail(who, ": the mask leaves no class of row ", r);
      // one answer for all rows
      if (!Keep::by_rows && options.valid_classes_per_row.empty()) return;
    }
  }
  DIVOT_HD void apply(T* x, index classes, index row) const {
    T const low(-std::numeric_limits<double>::infinity());
    each_class<Team>(classes,
                     [&](index k) DIVOT_LAMBDA_INLINE { x[k] = keep_(row, k) ? x[k] : low; });
  }
  DIVOT_HD void pull(T* g, index classes, index row, T const*, T const&) const {
    each_class<Team>(classes,
                     [&](index k) DIVOT_LAMBDA_INLINE { g[k] = keep_(row, k) ? g[k] : T(0); });
  }

 private:
  Keep keep_;
};

/// A transform as the user named it, made ready for a team's rows. (Those that hold numbers are
/// made where it is known how they are held.)
template <class Team>
DIVOT_HD softcap_row<Team> bind_transform(softcap_transform const& f) {
  return softcap_row<Team>(f.cap);
}

}  // namespace DIVOT_ABI
}  // namespace divot
