// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// run() of losses.hpp for some kinds of losses; included by the files that instantiate it, which
// have all types and policies of these in one unit: they share what is done again in long double.

#include <accuracy/losses.hpp>
#include <divot/divot.hpp>

#include <type_traits>

namespace losses {

/// The user's own divergence of the tests: one function.
struct le_cam {
  static constexpr double at_zero = 0.5, slope_at_infinity = 0.5;
  template <class T>
  static T f(T u) {
    return (T(1) - u) * (T(1) - u) / (T(2) * (T(1) + u));
  }
};

/// Whose gradient is compiled without the teacher's too: those of the longest rows. The others give
/// both, which takes longer to run and half as long to compile.
template <class What>
inline constexpr bool has_own_kernels =
    std::is_same_v<What, divot::kl> || std::is_same_v<What, divot::reverse_kl> ||
    std::is_same_v<What, divot::jensen_shannon> || std::is_same_v<What, divot::squared_hellinger> ||
    std::is_same_v<What, divot::pearson> || std::is_same_v<What, divot::total_variation> ||
    std::is_same_v<What, divot::alpha_beta> || std::is_same_v<What, divot::cross_entropy> ||
    std::is_same_v<What, divot::z_loss>;

template <class T, class Policy, class What>
answer<T> call(Policy policy, What const& what, problem<T> const& given, wanted wants) {
  auto const rows = static_cast<divot::index>(given.rows);
  auto const classes = static_cast<divot::index>(given.classes);
  divot::matrix_ref<T const> const t(given.teacher.data(), rows, classes);
  divot::matrix_ref<T const> const s(given.student.data(), rows, classes);
  auto const teacher = divot::logits(t, given.teacher_temperature);
  auto const student = divot::logits(s, given.student_temperature);

  answer<T> result;
  result.per_row.assign(given.rows, -1);
  divot::batch options;
  options.reduction = divot::reduction::sum;
  options.per_row = result.per_row;
  options.labels = given.labels;
  // The loss without gradients is compiled for three kinds of divergence only, to save time.
  if constexpr (std::is_same_v<What, divot::kl> || std::is_same_v<What, divot::jensen_shannon> ||
                std::is_same_v<What, divot::alpha_beta>) {
    if (wants == wanted::value) {
      result.value = divot::value(policy, what, teacher, student, options);
      return result;
    }
  }
  result.student.resize(given.student.size());
  divot::matrix_ref<T> const g(result.student.data(), rows, classes);
  if constexpr (has_own_kernels<What>) {
    if (wants != wanted::everything) {
      result.value = divot::value_and_gradient(policy, what, teacher, student, g, options);
      return result;
    }
  }
  result.teacher.resize(given.teacher.size());
  divot::matrix_ref<T> const h(result.teacher.data(), rows, classes);
  divot::temperature_gradient temperatures;
  auto const where = divot::gradients().student(g).teacher(h).temperature(temperatures);
  if constexpr (std::is_same_v<What, divot::alpha_beta>) {
    result.value = divot::value_and_gradient(policy, what, teacher, student,
                                             where.parameters(result.parameters), options);
  } else {
    result.value = divot::value_and_gradient(policy, what, teacher, student, where, options);
  }
  result.student_temperature = temperatures.student;
  result.teacher_temperature = temperatures.teacher;
  if (wants != wanted::everything) result.teacher.clear();
  return result;
}

/// A loss among `Kinds`, which call their own: Kinds::dispatch(loss, with).
template <class Kinds, class T>
answer<T> run_kinds(policy p, loss const& l, problem<T> const& given, wanted wants) {
  auto const by = [&](auto policy) {
    return Kinds::template dispatch<answer<T>>(
        l, [&](auto const& what) { return call(policy, what, given, wants); });
  };
  return p == policy::seq    ? by(divot::seq)
         : p == policy::simd ? by(divot::simd)
                             : by(divot::omp(2));
}

}  // namespace losses
