// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// run() of losses.hpp for one policy; included by the files that instantiate it.

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

template <class T, class Policy>
answer<T> dispatch(Policy policy, loss const& l, problem<T> const& given, wanted wants) {
  auto const with = [&](auto const& what) { return call(policy, what, given, wants); };
  switch (l.what) {
    case kind::kl:
      return with(divot::kl{});
    case kind::reverse_kl:
      return with(divot::reverse_kl{});
    case kind::jeffreys:
      return with(divot::jeffreys{});
    case kind::jensen_shannon:
      return with(divot::jensen_shannon{});
    case kind::skew_js:
      return with(divot::skew_js{.teacher_weight = l.a});
    case kind::skew_kl:
      return with(divot::skew_kl{.teacher_weight = l.a});
    case kind::reverse_skew_kl:
      return with(divot::reverse(divot::skew_kl{.teacher_weight = l.a}));
    case kind::squared_hellinger:
      return with(divot::squared_hellinger{});
    case kind::pearson:
      return with(divot::pearson{});
    case kind::neyman:
      return with(divot::neyman{});
    case kind::total_variation:
      return with(divot::total_variation{});
    case kind::le_cam:
      return with(divot::f_divergence<le_cam>{});
    case kind::alpha:
      return with(divot::alpha{.alpha = l.a});
    case kind::alpha_beta:
      return with(divot::alpha_beta{.alpha = l.a, .beta = l.b});
    case kind::triangular:
      return with(divot::triangular{});
    case kind::vajda:
      return with(divot::vajda{.order = l.a});
    case kind::reverse_vajda:
      return with(divot::reverse(divot::vajda{.order = l.a}));
    case kind::puri_vincze:
      return with(divot::puri_vincze{.order = l.a});
    case kind::matusita:
      return with(divot::matusita{.exponent = l.a});
    case kind::arithmetic_geometric:
      return with(divot::arithmetic_geometric{});
    case kind::osterreicher_vajda:
      return with(divot::osterreicher_vajda{.order = l.a});
    case kind::hockey_stick:
      return with(divot::hockey_stick{.threshold = l.a});
    case kind::reverse_hockey_stick:
      return with(divot::reverse(divot::hockey_stick{.threshold = l.a}));
    case kind::degroot:
      return with(divot::degroot{.prior = l.a});
    case kind::marton:
      return with(divot::marton{});
    case kind::reverse_marton:
      return with(divot::reverse(divot::marton{}));
    case kind::skew_pearson:
      return with(divot::skew(divot::pearson{}, l.a));
    case kind::skew_reverse_kl:
      return with(divot::skew(divot::reverse_kl{}, l.a));
    case kind::symmetrized_pearson:
      return with(divot::symmetrized(divot::pearson{}));
    case kind::power_jensen_shannon:
      return with(divot::power(divot::jensen_shannon{}, l.a));
    case kind::renyi:
      return with(divot::renyi{.order = l.a});
    case kind::bhattacharyya:
      return with(divot::bhattacharyya{});
    case kind::sharma_mittal:
      return with(divot::sharma_mittal{.order = l.a, .degree = l.b});
    case kind::soft_cross_entropy:
      return with(divot::soft_cross_entropy{});
    case kind::cross_entropy:
      return with(divot::cross_entropy{.smoothing = l.a, .z_loss = l.b});
    case kind::z_loss:
      return with(divot::z_loss{});
  }
  return {};
}

}  // namespace losses
