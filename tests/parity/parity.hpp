// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Calls of the library as values: loss, policy and layout are chosen at run time, so that each
// loss is instantiated once for a policy and a type (run_*.cpp).

#include <divot/core/options.hpp>
#include <divot/core/types.hpp>

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace parity {

/// The mixture is .1 cross-entropy and .9 KL at temperature 4, times 4².
enum class loss { kl, alpha_beta, jensen_shannon, total_variation, mixture };

/// The losses that are instantiated for a type: all of them for float.
template <class T>
std::vector<loss> losses() {
  if (!std::is_same_v<T, float>) return {loss::kl, loss::alpha_beta};
  return {loss::kl, loss::alpha_beta, loss::jensen_shannon, loss::total_variation, loss::mixture};
}
std::string name(loss what);

/// seq, simd or, with a number of threads, omp.
struct policy {
  enum { sequential, packs, threaded } kind = sequential;
  int threads = 0;
};
inline constexpr policy seq{policy::sequential}, simd{policy::packs};
constexpr policy omp(int threads) { return {policy::threaded, threads}; }
std::string name(policy const& p);

/// Operands and targets of one call. float can do without the teacher's gradient (no data there).
template <class T>
struct call {
  divot::matrix_ref<T const> teacher, student;
  divot::matrix_ref<T> student_gradient = {}, teacher_gradient = {};
  double teacher_temperature = 1, student_temperature = 1;
  bool accumulate = false;
  double scale = 1;
  divot::batch options = {};
};

template <class T>
struct answer {
  T value = 0;
  divot::index valid_rows = 0;
  double student_temperature = 0, teacher_temperature = 0;  // only with both gradients

  bool operator==(answer const&) const = default;
};

/// float and double with every policy, long double with seq.
template <class T>
answer<T> run(policy const& p, loss what, call<T> const& c);

template <class T>
answer<T> run_seq(loss what, call<T> const& c);
template <class T>
answer<T> run_simd(loss what, call<T> const& c);
template <class T>
answer<T> run_omp(int threads, loss what, call<T> const& c);

}  // namespace parity
