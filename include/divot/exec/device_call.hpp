// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_checks.hpp>
#include <divot/family/loss.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Whatever the caller passed as "where", as gradients.
template <class Where>
auto device_where(Where const& where) {
  if constexpr (is_device_view<Where>) {
    return device_gradients<Where>{where};
  } else {
    static_assert(
        requires { where.accumulate, where.student, where.teacher; },
        "divot: on a device a gradient goes into a device_view or device_gradients{…}");
    return where;
  }
}

template <class View>
inline constexpr bool is_wanted = !std::is_same_v<View, nowhere>;
/// A view of the gradient, of which nothing is used where it is not wanted.
template <class View>
auto view_or_none(View const& view) {
  if constexpr (is_wanted<View>) {
    return view;
  } else {
    return device_view<float>{};
  }
}

/// Whether these are what a device's verbs take; says what is not.
template <class L, class Teacher, class Student>
constexpr bool is_device_call() {
  static_assert(loss<L>,
                "divot: the argument before the teacher must be a loss: a divergence such as "
                "divot::kl{}, divot::cross_entropy{}, or sums and multiples of them");
  static_assert(on_device<Teacher>,
                "divot: with divot::cuda the teacher, too, lies in the device's memory: a "
                "device_view, logits(view, T), log_probabilities(view), labels(span) or top_k(…)");
  return loss<L> && on_device<Teacher> && on_device<Student>;
}

/// The types of a call on a device, and how it is made ready for kernels.
template <class Teacher, class Student, class Gradients>
struct device_form {
  static constexpr bool with_student = is_wanted<decltype(Gradients::student)>;
  static constexpr bool with_teacher = is_wanted<decltype(Gradients::teacher)>;
  static_assert(Student::kind != operand_kind::labels,
                "divot: labels are a teacher: the order is (policy, what, teacher, student)");
  static_assert(Student::kind != operand_kind::top_k,
                "divot: top_k is a teacher: the order is (policy, what, teacher, student)");
  static_assert(!with_teacher ||
                    (Teacher::kind != operand_kind::labels && Teacher::kind != operand_kind::top_k),
                "divot: a teacher's gradient exists for logits and log_probabilities only");
  using teacher_storage = typename Teacher::storage;
  using student_storage = typename Student::storage;
  /// double where one side is, for top_k, and where logits are moved: rounded to float, they would
  /// have lost what a small difference needs.
  using arithmetic =
      std::conditional_t<std::is_same_v<teacher_storage, double> ||
                             std::is_same_v<student_storage, double> ||
                             Teacher::kind == operand_kind::top_k || moves_device_values<Teacher> ||
                             moves_device_values<Student>,
                         double, float>;
  template <class View>
  using storage_of = std::remove_pointer_t<decltype(view_or_none(View()).data)>;
  using call_type = device_call<typename Teacher::operand, typename Student::operand,
                                storage_of<decltype(Gradients::student)>,
                                storage_of<decltype(Gradients::teacher)>>;

  /// Checked, but for its memory.
  template <class Plan>
  static call_type call(Plan const& plan, Teacher const& teacher, Student const& student,
                        Gradients const& where, device_batch const& options) {
    call_type call{};
    call.teacher = teacher;
    call.student = student;
    call.teacher_kind = Teacher::kind;
    call.student_kind = Student::kind;
    call.student_to = view_or_none(where.student);
    call.teacher_to = view_or_none(where.teacher);
    call.accumulate = where.accumulate;
    call.scale = where.scale;
    call.options = options;
    call.facts = plan.facts();
    check_device_call<with_student, with_teacher>(call);
    return call;
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
