// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/math.hpp>

#include <cmath>
#include <concepts>

/// Ground costs: what it costs to move mass from a point x to a point y. Each is a sum over the
/// coordinates of a function of their difference, and a function of that sum.
namespace divot::ground {

/// Σ_k |x_k − y_k|; of points with one coordinate the absolute difference. Slope 0 at ties.
struct l1 {};
/// √Σ_k (x_k − y_k)². Slope 0 where x = y.
struct l2 {};
/// Σ_k (x_k − y_k)². From the differences: ‖x‖² + ‖y‖² − 2⟨x, y⟩ has no digits left near x = y.
struct squared_l2 {};
/// (Σ_k |x_k − y_k|^p)^(1/p), p ≥ 1.
struct lp {
  double p = 2;
};
/// 1 − ⟨x, y⟩/(‖x‖ ‖y‖), as half the squared distance of the normalised points. No point may be 0.
struct cosine {};

}  // namespace divot::ground

namespace divot {
inline namespace DIVOT_ABI {

/// What a ground cost is made of, on lanes V:
///   term(c, d)    of one coordinate's difference d
///   cost(c, s)    of the terms' sum s
///   slope(c, d)   ∂cost/∂d = slope(c, d)·factor(c, cost)
template <class G>
inline constexpr bool is_ground = false;
template <>
inline constexpr bool is_ground<ground::l1> = true;
template <>
inline constexpr bool is_ground<ground::l2> = true;
template <>
inline constexpr bool is_ground<ground::squared_l2> = true;
template <>
inline constexpr bool is_ground<ground::lp> = true;
template <>
inline constexpr bool is_ground<ground::cosine> = true;

/// A ground cost of divot's, with a gradient, or any function of two points: f(x, y) of two Eigen
/// column vectors, without one.
template <class G>
concept ground_cost = is_ground<G>;

/// Whether points are divided by their lengths first.
template <class G>
inline constexpr bool normalises = std::same_as<G, ground::cosine>;

/// 1, 0 or −1.
template <class V>
DIVOT_INLINE V difference_sign(V const& d) {
  V const none(scalar_of<V>(0)), one(scalar_of<V>(1));
  return V(math::select(d > none, one, none) - math::select(d < none, one, none));
}

// Of most the sum is the cost.
template <class G, class V>
DIVOT_INLINE V ground_cost_of(G const&, V const& sum) {
  return sum;
}
template <class G, class V>
DIVOT_INLINE V ground_factor(G const&, V const&) {
  return V(scalar_of<V>(1));
}

template <class V>
DIVOT_INLINE V ground_term(ground::l1, V const& d) {
  return math::abs(d);
}
template <class V>
DIVOT_INLINE V ground_slope(ground::l1, V const& d) {
  return difference_sign(d);
}

template <class V>
DIVOT_INLINE V ground_term(ground::squared_l2, V const& d) {
  return V(d * d);
}
template <class V>
DIVOT_INLINE V ground_slope(ground::squared_l2, V const& d) {
  return V(d + d);
}

template <class V>
DIVOT_INLINE V ground_term(ground::cosine, V const& d) {
  return V(d * d);
}
template <class V>
DIVOT_INLINE V ground_cost_of(ground::cosine, V const& sum) {
  return V(sum * constant<V>(.5));
}
template <class V>
DIVOT_INLINE V ground_slope(ground::cosine, V const& d) {
  return d;
}

template <class V>
DIVOT_INLINE V ground_term(ground::l2, V const& d) {
  return V(d * d);
}
template <class V>
DIVOT_INLINE V ground_cost_of(ground::l2, V const& sum) {
  return math::sqrt(sum);
}
template <class V>
DIVOT_INLINE V ground_slope(ground::l2, V const& d) {
  return d;
}
template <class V>
DIVOT_INLINE V ground_factor(ground::l2, V const& cost) {
  V const none(scalar_of<V>(0)), one(scalar_of<V>(1));
  return V(math::select(cost > none, one, none) / math::select(cost > none, cost, one));
}

/// d^p of a difference ≥ 0, a lane at a time: general powers are for the few who ask for them.
template <class V>
DIVOT_INLINE V ground_power(V const& d, double p) {
  using T = scalar_of<V>;
  if constexpr (lane_traits<V>::is_pack) {
    T all[lane_traits<V>::size];
    lane_traits<V>::store(all, d);
    for (T& x : all) x = std::pow(x, static_cast<T>(p));
    return lane_traits<V>::load(all);
  } else {
    return std::pow(d, static_cast<T>(p));
  }
}
template <class V>
DIVOT_INLINE V ground_term(ground::lp const& c, V const& d) {
  return ground_power(math::abs(d), c.p);
}
template <class V>
DIVOT_INLINE V ground_cost_of(ground::lp const& c, V const& sum) {
  return ground_power(sum, 1 / c.p);
}
template <class V>
DIVOT_INLINE V ground_slope(ground::lp const& c, V const& d) {
  return V(ground_power(math::abs(d), c.p - 1) * difference_sign(d));
}
template <class V>
DIVOT_INLINE V ground_factor(ground::lp const& c, V const& cost) {
  V const none(scalar_of<V>(0)), one(scalar_of<V>(1));
  V const safe = math::select(cost > none, cost, one);
  return V(math::select(cost > none, one, none) * ground_power(safe, 1 - c.p));
}

}  // namespace DIVOT_ABI
}  // namespace divot
