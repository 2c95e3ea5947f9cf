// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Short words for the tests of laws: one row in, one number out, in double precision.

#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <accuracy/losses.hpp>
#include <accuracy/samples.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace laws {

using losses::kind;
using row = std::vector<double>;

inline losses::problem<double> problem(row const& teacher, row const& student) {
  return {1, student.size(), teacher, student};
}

/// The library's loss of a row of logits.
inline double value(losses::loss const& l, row const& teacher, row const& student) {
  return losses::run(losses::policy::simd, l, problem(teacher, student), losses::wanted::value)
      .value;
}

/// The library's losses of many rows.
inline std::vector<double> values(losses::loss const& l, losses::problem<double> const& rows) {
  return losses::run(losses::policy::simd, l, rows, losses::wanted::value).per_row;
}

inline losses::answer<double> everything(losses::loss const& l, row const& teacher,
                                         row const& student) {
  return losses::run(losses::policy::simd, l, problem(teacher, student),
                     losses::wanted::everything);
}

inline row softmax(row x) {
  double largest = x[0], sum = 0;
  for (double y : x) largest = std::max(largest, y);
  for (double& y : x) sum += y = std::exp(y - largest);
  for (double& y : x) y /= sum;
  return x;
}

inline row logarithms(row x) {
  for (double& y : x) y = std::log(y);
  return x;
}

/// a ≤ b up to rounding.
inline bool at_most(double a, double b) {
  return a <= b + budget::law<double> * (std::abs(a) + std::abs(b));
}

inline auto near(double x) { return doctest::Approx(x).epsilon(budget::law<double>).scale(0); }

/// The f-divergences, with what the laws need to know of their generators.
struct f_divergence {
  losses::loss what;
  losses::loss reversed;
  double supremum;                      // f(0) + f'(∞)
  double (*curvature)(double, double);  // f''(u), the parameter second
};

inline std::vector<f_divergence> const& f_divergences() {
  constexpr double infinite = HUGE_VAL;
  static auto const skew = [](double a) { return -(1 - a) * std::log(1 - a) - a * std::log(a); };
  static std::vector<f_divergence> const list{
      {{kind::kl}, {kind::reverse_kl}, infinite, [](double u, double) { return 1 / u; }},
      {{kind::reverse_kl}, {kind::kl}, infinite, [](double u, double) { return 1 / (u * u); }},
      {{kind::jeffreys},
       {kind::jeffreys},
       infinite,
       [](double u, double) { return 1 / u + 1 / (u * u); }},
      {{kind::jensen_shannon},
       {kind::jensen_shannon},
       std::log(2.),
       [](double u, double) { return 1 / (2 * u * (1 + u)); }},
      {{kind::skew_js, 0.25},
       {kind::skew_js, 0.75},
       skew(0.25),
       [](double u, double a) { return a * (1 - a) / (u * (a * u + 1 - a)); }},
      {{kind::skew_kl, 0.25},
       {kind::reverse_skew_kl, 0.25},
       -std::log(0.25),
       [](double u, double a) {
         double const m = a * u + 1 - a;
         return (1 - a) * (1 - a) / (u * m * m);
       }},
      {{kind::reverse_skew_kl, 0.25},
       {kind::skew_kl, 0.25},
       -std::log(0.25),
       [](double u, double a) {
         double const m = (1 - a) * u + a;
         return (1 - a) * (1 - a) / (m * m);
       }},
      {{kind::squared_hellinger},
       {kind::squared_hellinger},
       2,
       [](double u, double) { return 1 / (2 * u * std::sqrt(u)); }},
      {{kind::pearson}, {kind::neyman}, infinite, [](double, double) { return 2.; }},
      {{kind::neyman}, {kind::pearson}, infinite, [](double u, double) { return 2 / (u * u * u); }},
      {{kind::total_variation}, {kind::total_variation}, 1, nullptr},
      {{kind::le_cam},
       {kind::le_cam},
       1,
       [](double u, double) { return 4 / ((1 + u) * (1 + u) * (1 + u)); }},
      {{kind::alpha, 0.25},
       {kind::alpha, 0.75},
       1 / (0.25 * 0.75),
       [](double u, double a) { return std::pow(u, a - 2); }},
      {{kind::alpha, 1.5}, {kind::alpha, -0.5}, infinite, [](double u, double a) {
         return std::pow(u, a - 2);
       }}};
  return list;
}

}  // namespace laws
