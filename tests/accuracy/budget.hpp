// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// The error budget: the one table that the tests assert and the documentation prints.
//
// Errors are relative to a reference of 33 digits on the same rounded inputs, row by row: |loss −
// exact|/exact, and the Euclidean norm of the gradient's error over that of the exact gradient.
// DIVOT_PRINT_ERRORS=1 makes the accuracy tests print the worst they see beside these bounds.

#include <array>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <type_traits>

namespace budget {

struct bound {
  double loss, gradient;
};

enum class situation {
  moderate,
  confident,
  near_convergence,
  near_short,
  singular_lines,
  mixture_weights,
  limits,
  teacher,
  parameters
};

struct line {
  situation where;
  char const* name;
  char const* about;
  bound float32, float64;
};

inline constexpr std::array<line, 9> table{{
    {situation::moderate,
     "moderate",
     "scale/T up to 15, 2 to 152 064 classes",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
    {situation::confident, "confident", "scale/T up to 60", {1e-5, 1e-5}, {1e-11, 1e-11}},
    {situation::near_convergence,
     "near convergence",
     "student = teacher + delta noise, delta 1e-4 to 1e-2, teacher shifted by 0, 7.3 and 200, "
     "128 256 classes",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
    {situation::near_short,
     "near convergence, short rows",
     "the same with 2 to 1003 classes",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
    {situation::singular_lines,
     "singular lines",
     "alpha, beta or alpha + beta = 0 and ±10^-k, k = 1 … 16",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
    {situation::mixture_weights,
     "mixture weights",
     "skews with weights from 1e-30 to 1 − 2^-53, rows as above, 2 to 128 classes",
     {1e-5, 1e-5},
     {1e-12, 1e-12}},
    {situation::limits,
     "limits",
     "gaps of 200, classes missing on one side or both",
     {1e-5, 1e-5},
     {1e-11, 1e-11}},
    {situation::teacher,
     "teacher",
     "the teacher's gradient, scale/T up to 15",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
    {situation::parameters,
     "parameters",
     "derivatives in the temperatures and in alpha and beta (as loss)",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
}};

/// Where a loss does not keep the table's bound yet, and what it is held to meanwhile. The loss is
/// the beginning of a name, the first line that fits counts.
struct exception {
  std::string_view loss;
  situation where;
  bound float32, float64;
};

inline constexpr std::array<exception, 1> exceptions{{
    // q |q/p − 1|^(k−1): the ratio's roundings count k − 1 times.
    {"reverse(vajda)", situation::moderate, {1e-5, 1.5e-6}, {1e-12, 1e-12}},
}};

constexpr line const& at(situation where) {
  for (line const& l : table) {
    if (l.where == where) return l;
  }
  return table[0];
}

/// The bound that the table promises.
constexpr bound promised(situation where, bool in_float) {
  return in_float ? at(where).float32 : at(where).float64;
}

/// The bound that the tests assert. With DIVOT_TEST_PROMISED it is the promised one.
constexpr bound held([[maybe_unused]] std::string_view loss, situation where, bool in_float) {
#ifndef DIVOT_TEST_PROMISED
  for (exception const& e : exceptions) {
    if (e.where == where && loss.substr(0, e.loss.size()) == e.loss) {
      return in_float ? e.float32 : e.float64;
    }
  }
#endif
  return promised(where, in_float);
}

/// Rows whose exact gradient (or loss) is smaller than this are exempt.
template <class T>
inline constexpr double smallest = std::is_same_v<T, float> ? 1e-30 : 1e-290;

/// Losses that raise probabilities or their ratios to powers (alpha_beta, Vajda, Puri and Vincze,
/// Matusita, Österreicher and Vajda, Rényi, Sharma and Mittal) have max(1, |y ln x|/this) times the
/// bounds, for the row's largest |y ln x|: what ln x was rounded by shows that much larger in x^y.
inline constexpr double free_exponent = 20;

/// Classes with ln(p/q) nearer to a kink than this are ties, whose slope nobody can know.
template <class T>
inline constexpr double tie = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());

/// The reference in quadruple precision against tables made with hundreds of digits.
inline constexpr double reference = 1e-28;

/// Forms of the reference against differences of the published f, with steps of 1e-10.
inline constexpr double difference = 1e-15;
inline constexpr double curvature = 1e-9;

/// Losses and gradients (relative, as vectors) of transformed logits and of mixtures, against the
/// same written out in long double.
template <class T>
inline constexpr double transformed = std::is_same_v<T, float> ? 1e-6 : 1e-12;

/// Against values that others' code gives in double precision.
inline constexpr double official = 1e-12;

/// Laws and identities between results of the library, each of which obeys the table.
template <class T>
inline constexpr double law = std::is_same_v<T, float> ? 2e-5 : 4e-12;

/// Against integrals by Gaussian quadrature, whose integrands have kinks of a high order.
inline constexpr double quadrature = 1e-8;

/// Statements to first order in a small number h hold to this many times h.
inline constexpr double first_order = 30;

inline bool print_errors() { return std::getenv("DIVOT_PRINT_ERRORS") != nullptr; }

}  // namespace budget
