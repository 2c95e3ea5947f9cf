// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What the laws need to know of each divergence of the catalogue, and the rows they are tried on.

#include <property/laws.hpp>

#include <array>
#include <cmath>
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
  double (*curvature)(double, double) = nullptr;  // f''(u), the parameter second; if it is smooth
  bool is_sum = true;                             // an f-divergence, not a function of one
};

/// f''(u) of Puri and Vincze's divergence of order k: the distance is ½(p + q) |tanh(ell/2)|^k.
inline double puri_vincze(double u, double k) {
  return 2 * k * (k - 1) * std::pow(std::abs((u - 1) / (u + 1)), k - 2) / std::pow(u + 1, 3);
}
inline double vajda(double u, double k) { return k * (k - 1) * std::pow(std::abs(u - 1), k - 2); }
inline double matusita(double u, double a) {
  return (1 - a) * std::pow(std::abs(std::pow(u, a) - 1), 1 / a - 2) * std::pow(u, a - 2);
}
inline double osterreicher_vajda(double u, double b) {
  return b * std::pow(u, b - 2) * std::pow(1 + std::pow(u, b), 1 / b - 2);
}
/// 2 f(0) of Österreicher and Vajda's divergence.
inline double osterreicher_vajda_supremum(double b) {
  return b == 1 ? 2 * std::log(2.) : 2 * (1 - std::exp2(1 / b - 1)) / (1 - 1 / b);
}

/// The usual f-divergences and all others.
inline std::vector<entry> const& entries() {
  constexpr double infinite = HUGE_VAL;
  auto const symmetric = [](losses::loss l, double supremum,
                            double (*curvature)(double, double) = nullptr, bool is_sum = true) {
    return entry{l, l, supremum, curvature, is_sum};
  };
  static std::vector<entry> const others{
      symmetric({kind::triangular}, 2,
                [](double u, double) { return 8 / ((1 + u) * (1 + u) * (1 + u)); }),
      {{kind::vajda, 1}, {{kind::reverse_vajda, 1}}, 2},
      {{kind::vajda, 1.5}, {{kind::reverse_vajda, 1.5}}, infinite},
      {{kind::vajda, 2}, {{kind::reverse_vajda, 2}}, infinite, vajda},
      {{kind::vajda, 3}, {{kind::reverse_vajda, 3}}, infinite, vajda},
      {{kind::vajda, 4}, {{kind::reverse_vajda, 4}}, infinite, vajda},
      {{kind::reverse_vajda, 3},
       {{kind::vajda, 3}},
       infinite,
       [](double u, double k) { return vajda(1 / u, k) / (u * u * u); }},
      symmetric({kind::puri_vincze, 1}, 1),
      symmetric({kind::puri_vincze, 1.5}, 1),
      symmetric({kind::puri_vincze, 2}, 1, puri_vincze),
      symmetric({kind::puri_vincze, 3}, 1, puri_vincze),
      symmetric({kind::matusita, 0.25}, 2, matusita),
      symmetric({kind::matusita, 0.5}, 2, matusita),
      symmetric({kind::matusita, 0.8}, 2),
      symmetric({kind::matusita, 1}, 2),
      symmetric({kind::arithmetic_geometric}, infinite,
                [](double u, double) { return (u * u + 1) / (4 * u * u * (u + 1)); }),
      symmetric({kind::osterreicher_vajda, 0.5}, osterreicher_vajda_supremum(0.5),
                osterreicher_vajda),
      symmetric({kind::osterreicher_vajda, 1}, osterreicher_vajda_supremum(1), osterreicher_vajda),
      symmetric({kind::osterreicher_vajda, 2}, osterreicher_vajda_supremum(2), osterreicher_vajda),
      symmetric({kind::osterreicher_vajda, 8}, osterreicher_vajda_supremum(8), osterreicher_vajda),
      {{kind::hockey_stick, 1}, {{kind::reverse_hockey_stick, 1}}, 1},
      {{kind::hockey_stick, 2}, {{kind::reverse_hockey_stick, 2}}, 1},
      {{kind::reverse_hockey_stick, 2}, {{kind::hockey_stick, 2}}, 1},
      {{kind::degroot, 0.25}, {{kind::degroot, 0.75}}, 0.25},
      {{kind::degroot, 0.75}, {{kind::degroot, 0.25}}, 0.25},
      {{kind::degroot, 0.5}, {{kind::degroot, 0.5}}, 0.5},
      {{kind::marton},
       {{kind::reverse_marton}},
       1,
       [](double u, double) { return u < 1 ? 2. : 0.; }},
      {{kind::reverse_marton},
       {{kind::marton}},
       1,
       [](double u, double) { return u > 1 ? 2 / (u * u * u) : 0.; }},
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
