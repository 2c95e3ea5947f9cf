// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// The library's losses as values: what to call, and the reference of the same. Every policy and
// type is instantiated once, in losses_*.cpp, and called from all tests through run().

#include <accuracy/reference.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace losses {

enum class kind {
  kl,
  reverse_kl,
  jeffreys,
  jensen_shannon,
  skew_js,
  skew_kl,
  reverse_skew_kl,
  squared_hellinger,
  pearson,
  neyman,
  total_variation,
  le_cam,
  alpha,
  alpha_beta,
  skew_pearson,     // a: the teacher's weight
  skew_reverse_kl,  // a: the teacher's weight
  symmetrized_pearson,
  power_jensen_shannon,  // a: the exponent
  renyi,                 // a: order
  bhattacharyya,
  sharma_mittal,  // a, b: order, degree
  soft_cross_entropy,
  cross_entropy,  // a: smoothing, b: z-loss
  z_loss,
  own  // one of tests/entries; a: its parameter
};

class entry;

struct loss {
  kind what = kind::kl;
  double a = 0, b = 0;
  entry const* own = nullptr;
  bool reversed = false;  // of one's own
};

/// As a user would write it.
std::string name(loss const& l);

/// The reference of a loss that is a divergence or soft cross-entropy.
reference::divergence reference_of(loss const& l);

/// All divergences, each once or at some values of its parameters.
std::vector<loss> const& all();
/// A shorter list for long rows.
std::vector<loss> const& some();
/// The shortest, for the longest.
std::vector<loss> const& main_ones();

enum class policy { seq, simd, omp };
inline constexpr std::array<policy, 3> policies{policy::seq, policy::simd, policy::omp};
std::string name(policy p);

/// What to ask for; `value` still comes with a gradient from most losses.
enum class wanted { value, student, everything };

/// Row-major logits of both sides and how to combine them.
template <class T>
struct problem {
  std::size_t rows = 0, classes = 0;
  std::vector<T> teacher, student;
  double teacher_temperature = 1, student_temperature = 1;
  std::vector<std::int64_t> labels = {};

  T const* teacher_row(std::size_t i) const { return teacher.data() + i * classes; }
  T const* student_row(std::size_t i) const { return student.data() + i * classes; }
};

/// Sums over the rows, and each row's loss.
template <class T>
struct answer {
  T value = 0;
  std::vector<double> per_row;
  std::vector<T> student, teacher;
  double student_temperature = 0, teacher_temperature = 0;
  std::array<double, 2> parameters{};
};

template <class T>
answer<T> run(policy p, loss const& l, problem<T> const& rows, wanted what);

}  // namespace losses
