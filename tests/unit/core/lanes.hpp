// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Functions on packs seen as functions of many numbers, and their errors in ulps.

#include <divot/team/xsimd_lanes.hpp>

#include <accuracy/samples.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

namespace lanes {

template <class T>
using limits = std::numeric_limits<T>;
template <class T>
using bits_of = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// f of every number, a pack at a time; the last pack is filled up with ones.
template <class T, class F>
std::vector<T> apply(F const& f, std::vector<T> const& x, std::vector<T> const& y = {}) {
  using traits = divot::lane_traits<divot::pack<T>>;
  auto const fill = [](std::vector<T> const& from, std::size_t i) {
    std::array<T, traits::size> a;
    for (std::size_t k = 0; k < traits::size; ++k) a[k] = i + k < from.size() ? from[i + k] : T(1);
    return traits::load(a.data());
  };
  std::vector<T> out;
  for (std::size_t i = 0; i < x.size(); i += traits::size) {
    auto const result = [&] {
      if constexpr (std::is_invocable_v<F, divot::pack<T>>) {
        return traits::to_array(f(fill(x, i)));
      } else {
        return traits::to_array(f(fill(x, i), fill(y, i)));
      }
    }();
    for (std::size_t k = 0; k < traits::size && i + k < x.size(); ++k) out.push_back(result[k]);
  }
  return out;
}

template <class T, class F>
T apply(F const& f, T x) {
  return apply<T>(f, std::vector<T>{x})[0];
}

/// |got − exact| in units of the last place of the exact result; subnormal results count in the
/// smallest subnormal, results beyond the type must be infinite.
template <class T>
double ulps(T got, long double exact) {
  T const nearest = static_cast<T>(exact);
  if (got == nearest) return 0;
  if (!std::isfinite(got) || !std::isfinite(nearest)) return limits<double>::infinity();
  int const exponent = std::max(std::ilogb(exact), limits<T>::min_exponent - 1);
  return static_cast<double>(std::fabs(static_cast<long double>(got) - exact) /
                             std::ldexp(1.0L, exponent - limits<T>::digits + 1));
}

/// The worst of a sweep, and where.
template <class T>
struct worst {
  double error = -1;
  T x = 0, y = 0, got = 0;
  long double exact = 0;

  void add(T at, T with, T result, long double right) {
    double const e = ulps(result, right);
    if (e <= error) return;
    *this = {e, at, with, result, right};
  }
};

template <class T, class F, class Exact>
worst<T> sweep(std::vector<T> const& x, F const& f, Exact const& exact) {
  auto const got = apply(f, x);
  worst<T> w;
  for (std::size_t i = 0; i < x.size(); ++i) w.add(x[i], T(0), got[i], exact(x[i]));
  return w;
}

inline constexpr std::size_t dense = 1 << 15;

/// Evenly spaced numbers, both ends included.
template <class T>
std::vector<T> between(double first, double last) {
  std::vector<T> x(dense + 1);
  for (std::size_t i = 0; i <= dense; ++i) {
    double const share = static_cast<double>(i) / static_cast<double>(dense);
    x[i] = static_cast<T>(first + (last - first) * share);
  }
  return x;
}

/// Random numbers of every magnitude between two positive ones, with random last digits.
template <class T>
std::vector<T> magnitudes(std::uint64_t seed, T first, T last) {
  auto const low = std::bit_cast<bits_of<T>>(first), high = std::bit_cast<bits_of<T>>(last);
  samples::random r(seed);
  std::vector<T> x{first, last};
  while (x.size() < dense) {
    x.push_back(std::bit_cast<T>(static_cast<bits_of<T>>(low + r.bits() % (high - low))));
  }
  return x;
}

template <class T>
std::vector<T> negated(std::vector<T> x) {
  for (T& v : x) v = -v;
  return x;
}

template <class T>
std::vector<T> joined(std::vector<T> x, std::vector<T> const& y) {
  x.insert(x.end(), y.begin(), y.end());
  return x;
}

}  // namespace lanes
