// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/options.hpp>
#include <divot/eigen/operands.hpp>
#include <divot/row/top_k_source.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace divot {

/// The tail's mass is not given: it is 1 − Σ p.
struct no_log_mass {
  std::size_t size() const { return 0; }
  double operator[](std::size_t) const { return 0; }
};

/// A few classes a row as a teacher. Made by `top_k`.
template <class Indices, class LogP, class LogMass>
struct top_k_operand {
  Indices indices;
  LogP x;
  divot::tail tail;
  LogMass log_mass;
  double temperature = 1;
};

inline namespace DIVOT_ABI {

template <class I, class P, class M>
inline constexpr bool is_top_k_operand<top_k_operand<I, P, M>> = true;

/// A teacher that names K of the classes of each row, as caches of large teachers' outputs do, and
/// what becomes of the others' mass τ = 1 − Σ p.
///
///   tail::renormalise  p_k/Σp over the K, 0 elsewhere
///   tail::uniform      p_k over the K, τ/(V − K) elsewhere, V the valid classes
///   tail::bucket       K + 1 classes: p_1 … p_K, τ against q_1 … q_K, Σ q of all others
///
/// indices            rows × K integers, each in [0, valid classes), no two of a row the same
/// log_probabilities  rows × K, natural logarithms of the teacher's probabilities
/// log_tail_mass      log τ of each row: anything with size() and []. Without it τ is 1 − Σ p:
///                    noise below 1e-7 where log-probabilities come from float
/// Errors             bad_value, before anything is written: an index out of range or named twice,
///                    NaN, +inf, Σ p > 1, Σ p + τ ≠ 1 (tolerances as for probabilities; within them
///                    p and τ are divided by their sum)
///
/// Computed in double, to which log τ is rounded: a double student at a small distance δ from the
/// teacher gets its gradient to about 1e-15/δ, a float one to float's last bits. There is no
/// temperature: it would change classes that are not here.
template <matrix_like I, matrix_like P, class M = no_log_mass>
requires requires(M const& m) {
  { m[0] } -> std::convertible_to<double>;
  m.size();
}
auto top_k(I&& indices, P&& log_probabilities, tail what, M&& log_tail_mass = {}) {
  static_assert(std::integral<storage_t<I>>,
                "divot: the indices of top_k must be integers; they come first: top_k(indices, "
                "log_probabilities, tail)");
  static_assert(!std::integral<storage_t<P>>,
                "divot: the log-probabilities of top_k are integers; they come second: "
                "top_k(indices, log_probabilities, tail)");
  using bare = std::remove_cvref_t<M>;
  using mass = std::conditional_t<std::is_lvalue_reference_v<M>, bare const&, bare>;
  return top_k_operand<typename keep<I&&>::type, typename keep<P&&>::type, mass>{
      std::forward<I>(indices), std::forward<P>(log_probabilities), what,
      std::forward<M>(log_tail_mass)};
}

template <matrix_like I, matrix_like P, class... Rest>
requires(!(std::is_same_v<std::remove_cvref_t<Rest>, tail> || ...)) auto top_k(I&&, P&&,
                                                                               Rest&&...) {
  static_assert(never<I>,
                "divot: top_k(indices, log_probabilities, tail): the tail is missing, which says "
                "what becomes of the other classes: divot::tail::renormalise, uniform or bucket");
}

/// Calls run(source) with the source of rows that a top-k teacher is; a loss without divergences
/// has no use for buckets.
template <class T, bool NeedsTeacher, class Teacher, class Run>
auto with_top_k_rows(Teacher const& teacher, Run const& run) {
  auto const indices = source_of<std::int64_t>(teacher.indices);
  auto const log_p = source_of<T>(teacher.x);
  using mass = std::remove_cvref_t<decltype(teacher.log_mass)>;
  using I = std::remove_const_t<decltype(indices)>;
  using P = std::remove_const_t<decltype(log_p)>;
  if constexpr (NeedsTeacher) {
    if (teacher.tail == tail::bucket) {
      return run(bucket_source<T, I, P, mass>(indices, log_p, teacher.log_mass, teacher.tail));
    }
  }
  return run(top_k_source<T, I, P, mass>(indices, log_p, teacher.log_mass, teacher.tail));
}

}  // namespace DIVOT_ABI
}  // namespace divot
