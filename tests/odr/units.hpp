// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Units that are one source, unit.cpp, compiled with different flags. The functions' signatures
// hold divot's own types, so that they would not link if those depended on the flags.

#include <divot/core/options.hpp>
#include <divot/divergence.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace odr {

/// A user's own divergence, known to all units under one name.
struct le_cam {
  static constexpr double at_zero = 0.5, slope_at_infinity = 0.5;
  template <class T>
  static T f(T u) {
    return (T(1) - u) * (T(1) - u) / (T(2) * (T(1) + u));
  }
};

using input = divot::matrix_ref<float const>;
using output = divot::matrix_ref<float>;
using mixture = divot::sum<divot::scaled<divot::kl>, divot::scaled<divot::total_variation>>;

/// What a unit offers.
struct unit {
  char const* name;
  /// The inline namespace its code is in.
  char const* abi;
  /// Floats in a pack.
  std::size_t width;
  /// The processor has what the unit was compiled for.
  bool (*runs_here)();

  divot::loss_result<float> (*kl)(divot::kl, input, input, divot::batch const&);
  divot::loss_result<float> (*sum)(mixture const&, divot::simd_policy, input, input,
                                   divot::gradient_target<float>, divot::batch const&);
  divot::loss_result<float> (*own)(divot::f_divergence<le_cam>, divot::seq_policy, input, input,
                                   divot::gradient_target<float>, divot::batch const&);
  /// With one policy object for all units; how many threads were there. Null without OpenMP.
  divot::loss_result<float> (*threads)(divot::omp_policy, input, input,
                                       divot::gradient_target<float>, int& seen);
  /// Throws divot::bad_value, for others to catch.
  void (*fail)();
};

unit const& baseline();
unit const& avx();
unit const& avx_fma();
unit const& avx2();
unit const& avx2_openmp();
unit const& avx512();

/// Everything a unit computes on fixed inputs, bit by bit, as text.
inline std::string digest(unit const& u) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  auto const add = [&](void const* data, std::size_t bytes) {
    auto const* const p = static_cast<unsigned char const*>(data);
    for (std::size_t i = 0; i < bytes; ++i) hash = (hash ^ p[i]) * 0x100000001b3u;
  };
  divot::workspace memory;
  divot::batch options;
  options.workspace = &memory;
  for (divot::index const cols : {7, 100, 2500}) {
    divot::index const rows = 20;
    auto const n = static_cast<std::size_t>(rows * cols);
    std::vector<float> t(n), s(n), g(n, 0.f);
    std::uint32_t state = 1;
    auto const next = [&state] {
      state = state * 1664525u + 1013904223u;
      return static_cast<float>(state >> 8) * 0x1p-21f - 4.f;
    };
    for (std::size_t i = 0; i < n; ++i) t[i] = next(), s[i] = next();
    input const teacher(t.data(), rows, cols), student(s.data(), rows, cols);
    divot::gradient_target<float> const to{output(g.data(), rows, cols)};
    auto const record = [&](divot::loss_result<float> const& r) {
      add(&r.value, sizeof r.value);
      add(g.data(), n * sizeof(float));
    };
    record(u.kl(divot::kl{}, teacher, student, options));
    mixture const both{{{0.3, {}}, {0.7, {}}}};
    record(u.sum(both, divot::simd, teacher, student, to, options));
    record(u.own({}, divot::seq, teacher, student, to, options));
    int seen = 0;
    if (u.threads != nullptr) record(u.threads(divot::omp(2), teacher, student, to, seen));
  }
  return std::to_string(hash);
}

}  // namespace odr
