// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What the laws need to know of each divergence of the catalogue, and the rows they are tried on.

#include <entries/entry.hpp>
#include <property/laws.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace catalogue {

using laws::row;
using losses::kind;

struct entry {
  losses::loss what;
  std::optional<losses::loss> reversed;  // where the list of losses has it
  double supremum;                       // f(0) + f'(∞), or what the function makes of it
  // f''(u), the parameter second; if it is smooth
  std::function<double(double, double)> curvature = nullptr;
  bool is_sum = true;  // an f-divergence, not a function of one
};

/// The usual f-divergences and all others.
inline std::vector<entry> const& entries() {
  constexpr double infinite = HUGE_VAL;
  auto const symmetric = [](losses::loss l, double supremum,
                            double (*curvature)(double, double) = nullptr, bool is_sum = true) {
    return entry{l, l, supremum, curvature, is_sum};
  };
  static std::vector<entry> const others{
      {{kind::skew_pearson, 0.3},
       {},
       0.7 / 0.3,
       [](double u, double a) { return 2 * std::pow(1 - a, 2) / std::pow(a * u + 1 - a, 3); }},
      {{kind::skew_reverse_kl, 0.3},
       {},
       infinite,
       [](double u, double a) { return std::pow((1 - a) / u, 2) / (a * u + 1 - a); }},
      symmetric({kind::symmetrized_pearson}, infinite,
                [](double u, double) { return 2 + 2 / (u * u * u); }),
      symmetric({kind::power_jensen_shannon, 0.5}, std::sqrt(std::log(2.)), nullptr, false),
      {{kind::renyi, 0.1}, {}, infinite, nullptr, false},
      symmetric({kind::renyi, 0.5}, infinite, nullptr, false),
      {{kind::renyi, 1}, {}, infinite, nullptr, false},
      {{kind::renyi, 2}, {}, infinite, nullptr, false},
      {{kind::renyi, infinite}, {}, infinite, nullptr, false},
      symmetric({kind::bhattacharyya}, infinite, nullptr, false),
      symmetric({kind::sharma_mittal, 0.5, 2}, infinite, nullptr, false),
      {{kind::sharma_mittal, 2, 0.5}, {}, 2, nullptr, false}};
  static std::vector<entry> const list = [] {
    std::vector<entry> all;
    for (laws::f_divergence const& d : laws::f_divergences()) {
      all.push_back({d.what, d.reversed, d.supremum, d.curvature});
    }
    all.insert(all.end(), others.begin(), others.end());
    for (losses::entry const* e : losses::entries()) {
      auto const curvature = [e](double u, double a) { return e->curvature(u, a); };
      for (double const a : e->tried()) {
        losses::loss const what{kind::own, a, 0, e}, reversed{kind::own, a, 0, e, e->has_reverse()};
        double const supremum = static_cast<double>(e->at_zero(a) + e->slope_at_infinity(a));
        bool const smooth = !std::isnan(curvature(1, a));
        all.push_back({what, reversed, supremum});
        if (smooth) all.back().curvature = curvature;
        if (!e->has_reverse()) continue;
        all.push_back({reversed, what, supremum});
        if (smooth) {
          all.back().curvature = [=](double u, double b) {
            return curvature(1 / u, b) / (u * u * u);
          };
        }
      }
    }
    return all;
  }();
  return list;
}

struct pair {
  std::string about;
  row teacher, student;
};

inline std::string const nearly_equal = "nearly equal", subnormal = "subnormal";

inline pair disjoint() {
  return {"disjoint", {-HUGE_VAL, 0, -HUGE_VAL, 1}, {0, -HUGE_VAL, 1, -HUGE_VAL}};
}

/// Random, sparse, nearly equal, disjoint and subnormal rows, in numbers that T has and that stay
/// exact when some hundreds are added; the first two classes are the ones that the laws merge and
/// split.
template <class T>
std::vector<pair> pairs(std::uint64_t seed) {
  constexpr bool single = std::is_same_v<T, float>;
  double const grid = single ? 0x1p12 : 0x1p40;
  samples::random r(seed);
  std::vector<pair> all;
  for (double scale : {0.1, 1., 4.}) {
    for (std::size_t classes : {2, 3, 6, 70}) {
      all.push_back({"random", samples::logits<double>(r, classes, scale),
                     samples::logits<double>(r, classes, scale)});
    }
  }
  for (std::size_t classes : {2, 5, 70}) {
    row const q = samples::logits<double>(r, classes, 2);
    all.push_back({nearly_equal, samples::beside(r, q, single ? 1e-3 : 1e-6, 0), q});
  }
  for (std::size_t classes : {4, 7, 70}) {
    pair sparse{"sparse", samples::logits<double>(r, classes, 1),
                samples::logits<double>(r, classes, 1)};
    for (std::size_t k = 0; k + 2 < classes; ++k) {
      if (k % 3 != 0) sparse.teacher[k] = -HUGE_VAL;
      if (k % 3 != 1) sparse.student[k] = -HUGE_VAL;
    }
    all.push_back(sparse);
  }
  all.push_back(disjoint());
  if (single) {
    all.push_back({subnormal, {0, -90, -94, 1}, {-91, 0, -100, 0.5}});
    all.push_back({subnormal, {0, -88, -93}, {0.25, -92, -87}});
  } else {
    all.push_back({subnormal, {0, -715, -720, 1}, {-716, 0, -730, 0.5}});
    all.push_back({subnormal, {0, -712, -718}, {0.25, -716, -710}});
  }
  for (pair& p : all) {
    for (row* x : {&p.teacher, &p.student}) {
      for (double& y : *x) y = std::round(y * grid) / grid;
    }
  }
  return all;
}

/// ln(e^a + e^b).
inline double log_sum(double a, double b) {
  double const m = std::max(a, b);
  if (std::isinf(m)) return m;
  return m + std::log1p(std::exp(std::min(a, b) - m));
}

}  // namespace catalogue
