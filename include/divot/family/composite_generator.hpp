// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/unpack.hpp>
#include <divot/family/loss.hpp>

#include <cmath>
#include <tuple>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// The generator of a multiple: w f, whose conjugate is w f*(t/w).
template <class Generator>
struct scaled_generator {
  double weight;
  Generator of;
  double at_zero = weight * of.at_zero, slope_at_infinity = weight * of.slope_at_infinity;
  template <class T>
  T f(T const& u) const {
    return T(T(weight) * of.f(u));
  }
  template <class T>
  T slope(T const& u) const {
    return T(T(weight) * of.slope(u));
  }
  template <class T>
  T curvature(T const& u) const {
    return T(T(weight) * of.curvature(u));
  }
  template <class T>
  T closed_conjugate(T const& t) const requires requires {
    of.closed_conjugate(t);
  }
  { return T(T(weight) * of.closed_conjugate(T(t / T(weight)))); }
};

/// The generator of a sum: f₁ + f₂ + …; its conjugate has no closed form.
template <class... Generators>
struct sum_generator {
  std::tuple<Generators...> terms;
  double at_zero = total([](auto const& g) { return g.at_zero; });
  double slope_at_infinity = total([](auto const& g) { return g.slope_at_infinity; });
  template <class T>
  T f(T const& u) const {
    return total([&](auto const& g) { return g.f(u); });
  }
  template <class T>
  T slope(T const& u) const {
    return total([&](auto const& g) { return g.slope(u); });
  }
  template <class T>
  T curvature(T const& u) const {
    return total([&](auto const& g) { return g.curvature(u); });
  }

 private:
  template <class Part>
  auto total(Part const& part) const {
    return unpack([&](auto const&... g) { return (... + part(g)); }, terms);
  }
};

/// A loss whose generator there is.
template <class L>
concept has_generator = requires(L const& l) {
  generator(l).at_zero;
};

template <has_generator L>
auto generator(scaled<L> const& s) {
  if (!(s.weight > 0) || !std::isfinite(s.weight)) {
    fail("generator: the weight of a term is ", s.weight,
         "; it must be positive and finite, or f is not convex");
  }
  auto const of = generator(s.term);
  return scaled_generator<std::remove_const_t<decltype(of)>>{s.weight, of};
}
template <has_generator... L>
auto generator(sum<L...> const& s) {
  return unpack(
      [](auto const&... t) { return sum_generator<decltype(generator(t))...>{{generator(t)...}}; },
      s.terms);
}

/// Says why a loss has no generator.
template <loss L>
void generator(L const&) {
  static_assert(never<L>,
                "divot: f-divergences, the sums of q f(p/q), have a generator, and so have their "
                "reverses, skews, multiples and sums; functions of a divergence, alpha_beta (of "
                "alpha + beta = 1 it is alpha), losses with labels and terms at a temperature of "
                "their own have none");
}

}  // namespace DIVOT_ABI
}  // namespace divot
