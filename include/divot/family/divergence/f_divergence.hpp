// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/dual.hpp>
#include <divot/family/near_series.hpp>

#include <concepts>

namespace divot {

/// A user's f-divergence from one function.
///
///   D(p, q) = Σ_k q_k f(p_k/q_k)
///
/// F provides
///   template <class T> static T f(T u);                convex, f(1) = 0; called with divot's own
///                                                      number types, so write exp, log, sqrt, pow
///                                                      (constant exponent), abs unqualified
///   static constexpr double at_zero;                   f(0), may be infinite
///   static constexpr double slope_at_infinity;         lim f(u)/u, may be infinite
/// and, where f has a kink at 1 (as |u − 1| has),
///   static constexpr bool smooth = false;
///
/// The derivative comes from dual numbers, and near p = q everything comes from a Taylor series
/// computed once a call, so losses and gradients near convergence are as accurate as divot's own.
/// f need not be centred: a multiple of (u − 1) changes no value and no gradient on distributions,
/// and is removed.
template <class F>
struct f_divergence {};

inline namespace DIVOT_ABI {

template <class F>
concept generator = requires(dual_number<double> u) {
  { F::f(u) } -> std::convertible_to<dual_number<double>>;
  { F::at_zero } -> std::convertible_to<double>;
  { F::slope_at_infinity } -> std::convertible_to<double>;
};

template <class F>
constexpr bool is_smooth() {
  if constexpr (requires { F::smooth; }) {
    return F::smooth;
  } else {
    return true;
  }
}

/// f, or its dual u·f(1/u) when Dual, centred, with q as weight.
template <class F, bool Dual>
class bound_f_divergence {
 public:
  static_assert(generator<F>,
                "divot: f_divergence<F> needs: template <class T> static T f(T u), and static "
                "constexpr double at_zero and slope_at_infinity");
  static constexpr bool needs_logs = false;
  static constexpr bool needs_exact_offset() { return !is_smooth<F>(); }
  /// Below this |ell| the series; its own singularities may lie closer than those of divot's.
  static constexpr double series_bound = 0.25;

  bound_f_divergence() {
    if constexpr (is_smooth<F>()) {
      slope_ = F::f(dual_number<double>(1., 1.)).slope;
      near_ = near_series([](near_series::series const& ell) {
        // the dual generator's φ is e^ell f(e^−ell)
        return Dual ? exp(ell) * F::f(exp(-ell)) : F::f(exp(ell));
      });
    }
    limits_ = find_limits();
  }

  class_limits const& limits() const { return limits_; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    class_terms<V> const far = direct(x, gauge);
    if constexpr (is_smooth<F>()) {
      auto const near = math::abs(x.ell) < constant<V>(series_bound);
      auto const series = near_.at(x);
      double const zero = limits_.gauge;
      V const shift = constant<V>(zero) * x.q * (gauge - V(1));
      return {math::select(near, series.loss, far.loss),
              math::select(near, V(series.w + shift), far.w)};
    } else {
      return far;
    }
  }
  bound_f_divergence<F, !Dual> dual() const { return {}; }

 private:
  class_limits find_limits() const {
    // of the centred f(u) − f'(1)(u − 1)
    double const zero = F::at_zero + slope_, far = F::slope_at_infinity - slope_;
    double const p0 = Dual ? far : zero, q0 = Dual ? zero : far;
    bool const finite = p0 != unbounded;
    // w at q = 0 is −p·lim u φ-part: finite limits give 0, an infinite slope at infinity −inf·p
    return {p0,
            finite ? 0 : unbounded,
            finite ? p0 : 0,
            q0,
            q0 == unbounded ? edge_slope() : 0,
            edge_omega()};
  }

  /// w/p as q → 0 where f grows faster than linearly: φ − φ' = f(u) − u f'(u) over u.
  double edge_slope() const {
    double const u = 1e150;
    auto const f = Dual ? dual_of(dual_number<double>(u, 1.)) : F::f(dual_number<double>(u, 1.));
    double const w = (f.value - u * f.slope) / u;
    return w < -1e10 ? -unbounded : std::abs(w) < 1e-10 ? 0 : w;
  }
  /// w/q as q → 0: f(u) − u f'(u) as u → ∞.
  double edge_omega() const {
    double const u = 1e150;
    auto const f = Dual ? dual_of(dual_number<double>(u, 1.)) : F::f(dual_number<double>(u, 1.));
    double const w = f.value - u * f.slope + (Dual ? -slope_ : slope_);
    return w < -100 || !std::isfinite(w) ? -unbounded : w;
  }
  template <class D>
  static D dual_of(D const& u) {
    return u * F::f(D(1.) / u);
  }

  /// Value and slope of the generator at u = e^{ell}, only e^{−|ell|} being formed.
  template <class V>
  DIVOT_INLINE class_terms<V> direct(class_point<V> const& x, V const& gauge) const {
    auto const below = x.ell < V(0);
    V const u =
        math::max(math::exp(V(-math::abs(x.ell))), constant<V>(double(limits_of<V>::min())));
    // below: f(u), weight q; above: the other generator f◇(1/u), weight p
    dual_number<V> const at_u(u, V(1));
    dual_number<V> const plain = F::f(at_u), flipped = dual_of(at_u);
    auto const& own = Dual ? flipped : plain;
    auto const& other = Dual ? plain : flipped;
    double const own_slope = Dual ? -slope_ : slope_;
    V const s = constant<V>(own_slope);
    // centred: f − s(u − 1), f◇ + s(u − 1)
    V const f = own.value - s * (u - V(1));
    V const g = other.value + s * (u - V(1));
    V const loss = math::select(below, V(x.q * f), V(x.p * g));
    // w = q(f − u f') below; above, with the dual, q·(f◇)'(e^{−ell})
    double const zero = limits_.gauge;
    V const w_below = x.q * ((own.value - u * own.slope + s) + constant<V>(zero) * (gauge - V(1)));
    V const w_above = x.q * ((other.slope + s) + constant<V>(zero) * (gauge - V(1)));
    return {loss, math::select(below, w_below, w_above)};
  }

  double slope_ = 0;
  class_limits limits_{};
  near_series near_;
};

template <class F>
bound_f_divergence<F, false> bind(f_divergence<F> const&) {
  return {};
}

}  // namespace DIVOT_ABI
}  // namespace divot
