// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/dual.hpp>
#include <divot/core/errors.hpp>
#include <divot/core/expansion.hpp>
#include <divot/family/near_series.hpp>
#include <divot/family/probability_ratio.hpp>

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
/// and, where it is simpler than f(1/u) times u (Hellinger, Jensen–Shannon: f itself),
///   template <class T> static T dual(T u);             u·f(1/u)
/// which is needed when u·f(1/u) as it stands loses its digits for small u; binding tells.
///
/// The derivative comes from dual numbers that keep f(0) apart, and near p = q everything comes
/// from a Taylor series computed once a call, so losses and gradients near convergence are as
/// accurate as divot's own. f need not be centred: a multiple of (u − 1) changes no value and no
/// gradient on distributions, and is removed.
template <class F>
struct f_divergence {};

inline namespace DIVOT_ABI {

template <class F>
concept own_generator = requires(dual_number<double> u) {
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
  static_assert(own_generator<F>,
                "divot: f_divergence<F> needs: template <class T> static T f(T u), and static "
                "constexpr double at_zero and slope_at_infinity");
  static constexpr bool has_dual = requires(dual_number<double> u) { F::dual(u); };
  static constexpr bool needs_logs = false;
  static constexpr double roundings = 2;
  static constexpr bool spans_range = true;
  static constexpr bool needs_exact_offset() { return !is_smooth<F>(); }
  DIVOT_CALLS_EITHER
  DIVOT_HD bound_f_divergence() {
    if constexpr (is_smooth<F>()) {
      slope_ = F::f(dual_number<double>(1., 1.)).slope;
      near_ = near_series([](near_series::series const& ell) {
        // the dual generator's φ is e^ell f(e^−ell)
        return Dual ? exp(ell) * F::f(exp(-ell)) : F::f(exp(ell));
      });
      // its own singularities may lie closer than those of divot's
      reach_of_float_ = near_.template reach<float>();
      reach_ = near_.template reach<double>();
    }
    limits_ = find_limits();
#if !defined(__CUDA_ARCH__)  // devices get what the host has checked
    check();
#endif
  }

  DIVOT_HD class_limits const& limits() const { return limits_; }

  template <class V>
  DIVOT_INLINE class_terms<V> at(class_point<V> const& x, V const& anchor) const {
    V const gauge = row_gauge(anchor);
    class_terms<V> const far = direct(x, gauge);
    if constexpr (is_smooth<F>()) {
      constexpr bool single = std::is_same_v<scalar_of<V>, float>;
      auto const near = math::abs(x.ell) < constant<V>(single ? reach_of_float_ : reach_);
      auto const series = near_.at(x.q, x.ell);
      double const zero = limits_.gauge;
      V const shift = constant<V>(zero) * x.q * (gauge - V(1));
      return {math::select(near, series.loss, far.loss),
              math::select(near, V(series.w + shift), far.w)};
    } else {
      return far;
    }
  }
  DIVOT_HD bound_f_divergence<F, !Dual> dual() const { return {}; }

 private:
  /// Throws where F is no generator, or loses its digits.
  void check() const {
    check_centre();
    check_convex();
    check_end("at_zero", F::at_zero, "f(u)", "0", value_at(1e-150), value_at(1e-300));
    check_end("slope_at_infinity", F::slope_at_infinity, "f(u)/u", "infinity",
              value_at(1e75) / 1e75, value_at(1e150) / 1e150);
    check_digits<false>("f(u)");
    check_digits<true>(has_dual ? "dual(u)" : "u f(1/u)");
  }
  DIVOT_HD class_limits find_limits() const {
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

  /// w/p as q → 0 where f grows faster than linearly.
  DIVOT_HD double edge_slope() const {
    double const u = 1e-150, w = u * generator_at<!Dual>(u).slope();
    return w < -1e10 ? -unbounded : std::abs(w) < 1e-10 ? 0 : w;
  }
  /// w/q as q → 0: the slope of the other generator at 0.
  DIVOT_HD double edge_omega() const {
    double const w = generator_at<!Dual>(1e-150).slope() + slope_of_own();
    return w < -100 || !std::isfinite(w) ? -unbounded : w;
  }

  /// f(u), or u·f(1/u), split at u = 0.
  template <bool Flipped, class V>
  static DIVOT_INLINE expansion_at_zero<V> generator_at(V const& u) {
    using expansion = expansion_at_zero<V>;
    if constexpr (Flipped && has_dual) {
      return expansion(F::dual(expansion::variable(u))).settled();
    } else if constexpr (Flipped) {
      return expansion(expansion::variable(u) * F::f(expansion::reciprocal(u))).settled();
    } else {
      return expansion(F::f(expansion::variable(u))).settled();
    }
  }

  DIVOT_HD static double value_at(double u) { return F::f(dual_number<double>(u, 1.)).value; }
  DIVOT_HD static double slope_at(double u) { return F::f(dual_number<double>(u, 1.)).slope; }

  /// f(1) = 0, and a kink there must be declared.
  static void check_centre() {
    double const centre = value_at(1.);
    double const below = slope_at(1 - 1e-6), above = slope_at(1 + 1e-6);
    double const size = 1 + std::abs(below) + std::abs(above);
    if (!(std::abs(centre) <= 1e-9 * size)) {
      fail("f_divergence: f(1) is ", centre, "; it must be 0");
    }
    if (is_smooth<F>() && !(std::abs(above - below) <= 1e-3 * size)) {
      fail("f_divergence: the slope of f jumps from ", below, " to ", above,
           " at u = 1; declare static constexpr bool smooth = false");
    }
  }

  /// Slopes must not fall, as far as a walk from 2⁻³⁰ to 2³⁰ shows.
  static void check_convex() {
    double before = 0, u_before = 0;
    for (int i = -60; i <= 60; ++i) {
      double const u = std::exp2(i / 2.), slope = slope_at(u);
      if (i > -60 && slope < before - 1e-6 * (1e-3 + std::abs(before) + std::abs(slope))) {
        fail("f_divergence: f is not convex: its slope falls from ", before, " at u = ", u_before,
             " to ", slope, " at u = ", u);
      }
      before = slope;
      u_before = u;
    }
  }

  /// A declared limit against two values on the way to it: they must agree with it if they agree
  /// with each other.
  static void check_end(char const* name, double declared, char const* of, char const* where,
                        double near, double nearer) {
    bool const settled =
        std::isfinite(nearer) && std::abs(nearer - near) <= 1e-6 * (1e-3 + std::abs(nearer));
    bool const fits = declared == unbounded ? !settled
                                            : !settled || std::abs(nearer - declared) <=
                                                              1e-3 * (1 + std::abs(declared));
    if (!(declared > -unbounded) || !fits) {
      fail("f_divergence: ", name, " is ", declared, ", but ", of, " tends to ", nearer,
           " as u goes to ", where);
    }
  }

  /// The slope must survive small u: double against long double. And a dual must be that of f.
  template <bool Flipped>
  static void check_digits(char const* what) {
    for (double const u : {0.5, 1e-2, 1e-6, 1e-12, 1e-24, 1e-48}) {
      auto const f = generator_at<Flipped>(u);
      auto const exact = generator_at<Flipped>(static_cast<long double>(u));
      double const wide = static_cast<double>(exact.slope());
      double const error = static_cast<double>(std::abs(f.slope() - exact.slope()));
      if (error > 2e-13 * (1e-3 + std::abs(wide))) {  // in float, 10⁻⁴ and worse
        fail("f_divergence: the slope of ", what, " loses its digits at u = ", u, ": it is ", wide,
             ", double is off by ", error, "; write ",
             Flipped ? "template <class T> static T dual(T u), u f(1/u) simplified"
                     : "f without differences of large numbers");
      }
      if constexpr (Flipped && has_dual) {
        double const direct = u * F::f(dual_number<double>(1 / u, 0.)).value;
        double const given = f.value(u);
        if (std::abs(given - direct) > 1e-6 * (1 + std::abs(given))) {
          fail("f_divergence: dual(u) is ", given, " at u = ", u, ", u f(1/u) is ", direct);
        }
      }
    }
  }

  /// Value and slope of the generator at u = e^{ell}, only e^{−|ell|} being formed.
  template <class V>
  DIVOT_INLINE class_terms<V> direct(class_point<V> const& x, V const& gauge) const {
    auto const below = x.ell < V(0);
    V const u = smaller_over_larger(x);
    // below: f(u), weight q; above: the other generator f◇(1/u), weight p
    expansion_at_zero<V> const own = generator_at<Dual>(u), other = generator_at<!Dual>(u);
    // centred: f − s(u − 1), f◇ + s(u − 1)
    V const s = constant<V>(slope_of_own());
    V const centre = s * (u - V(1));
    V const loss =
        math::select(below, V(x.q * (own.value(u) - centre)), V(x.p * (other.value(u) + centre)));
    // below w = q(f − u f'), above q·(f◇)'(e^{−ell}); less q·f(0) where the gauge is 0
    V const w_below = own.excess(limits_.gauge == 0 ? -slope_of_own() : own_limit()) +
                      constant<V>(limits_.gauge) * gauge;
    V const w_above = (other.slope() + s) + constant<V>(limits_.gauge) * (gauge - V(1));
    return {loss, V(x.q * math::select(below, w_below, w_above))};
  }

  static constexpr double own_limit() { return Dual ? F::slope_at_infinity : F::at_zero; }
  DIVOT_HD double slope_of_own() const { return Dual ? -slope_ : slope_; }

  double slope_ = 0;
  class_limits limits_{};
  near_series near_;
  double reach_of_float_ = 0, reach_ = 0;
};

template <class F>
bound_f_divergence<F, false> bound_of(f_divergence<F> const&) {
  return {};
}

}  // namespace DIVOT_ABI
}  // namespace divot
