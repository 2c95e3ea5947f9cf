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
#include <type_traits>

namespace budget {

struct bound {
  double loss, gradient;
};

enum class situation { moderate, confident, near_convergence, singular_lines, parameters, limits };

struct line {
  situation where;
  char const* name;
  char const* about;
  bound float32, float64;
};

inline constexpr std::array<line, 6> table{{
    {situation::moderate,
     "moderate",
     "scale/T up to 15, 2 to 152 064 classes",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
    {situation::confident, "confident", "scale/T up to 60", {1e-5, 1e-5}, {1e-11, 1e-11}},
    {situation::near_convergence,
     "near convergence",
     "student = teacher + delta noise, delta 1e-4 to 1e-2, teacher shifted by 0, 7.3 and 200",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
    {situation::singular_lines,
     "singular lines",
     "alpha, beta or alpha + beta = 0 and ±10^-k, k = 1 … 16",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
    {situation::parameters,
     "parameters",
     "derivatives in the temperatures and in alpha and beta (as loss)",
     {1e-5, 1e-6},
     {1e-12, 1e-12}},
    {situation::limits,
     "limits",
     "gaps of 200, classes missing on one side or both",
     {1e-5, 1e-5},
     {1e-11, 1e-11}},
}};

constexpr line const& at(situation where) {
  for (line const& l : table) {
    if (l.where == where) return l;
  }
  return table[0];
}

template <class T>
constexpr bound of(situation where) {
  return std::is_same_v<T, float> ? at(where).float32 : at(where).float64;
}

/// Rows whose exact gradient (or loss) is smaller than this are exempt.
template <class T>
inline constexpr double smallest = std::is_same_v<T, float> ? 1e-30 : 1e-290;

/// Classes with |ln(p/q)| below this are ties of total variation, whose sign nobody can know.
template <class T>
inline constexpr double tie = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());

/// The reference in quadruple precision against tables made with hundreds of digits.
inline constexpr double reference = 1e-28;

/// Against values that others' code gives in double precision.
inline constexpr double official = 1e-12;

/// Laws and identities between results of the library, each of which obeys the table.
template <class T>
inline constexpr double law = std::is_same_v<T, float> ? 2e-5 : 4e-12;

/// Statements to first order in a small number h hold to this many times h.
inline constexpr double first_order = 30;

inline bool print_errors() { return std::getenv("DIVOT_PRINT_ERRORS") != nullptr; }

}  // namespace budget
