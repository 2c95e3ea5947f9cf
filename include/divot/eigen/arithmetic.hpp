// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/eigen/mixture.hpp>
#include <divot/eigen/operands.hpp>
#include <divot/eigen/top_k.hpp>

#include <type_traits>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// What the verbs take: an operand, or a mixture of them.
template <class X>
concept teacher_like = operand_like<X> || is_mixture<std::remove_cvref_t<X>>;

/// A bare matrix is logits at temperature 1.
template <teacher_like X>
decltype(auto) as_operand(X const& x) {
  if constexpr (matrix_like<X>) {
    return logits(x);
  } else {
    return (x);
  }
}

template <class X>
inline constexpr operand_kind kind_of = operand_kind::labels;
template <class S, int K, class... F>
inline constexpr operand_kind kind_of<operand<S, K, F...>> = static_cast<operand_kind>(K);
template <class I, class P, class M>
inline constexpr operand_kind kind_of<top_k_operand<I, P, M>> = operand_kind::top_k;
/// What its rows are when they reach the row functions.
template <class... O>
inline constexpr operand_kind kind_of<mixture_operand<O...>> = operand_kind::log_probabilities;

template <class X>
using operand_storage = storage_t<decltype(std::declval<X>().x)>;

/// float for 16-bit storage, otherwise what C++ makes of the two; a scalar that is no built-in type
/// (automatic differentiation) wins.
template <class A, class B>
struct arithmetic_of {
  static constexpr bool small_a = sizeof(A) == 2, small_b = sizeof(B) == 2;
  using a = std::conditional_t<small_a, float, A>;
  using b = std::conditional_t<small_b, float, B>;
  static constexpr bool real_a = std::is_floating_point_v<a>, real_b = std::is_floating_point_v<b>;
  static_assert(!std::is_integral_v<A> && !std::is_integral_v<B>,
                "divot: integer matrices are no logits: cast them to float or double first");
  template <class X, class Y>
  static auto choose() {
    if constexpr (real_a && real_b) {
      return std::type_identity<std::common_type_t<X, Y>>{};
    } else if constexpr (real_a) {
      return std::type_identity<Y>{};
    } else {
      return std::type_identity<X>{};
    }
  }
  using type = typename decltype(choose<a, b>())::type;
};

/// The arithmetic two operands ask for; labels ask for nothing.
template <class Teacher, class Student>
struct declared_arithmetic : arithmetic_of<operand_storage<Teacher>, operand_storage<Student>> {};
template <class Y, class Student>
struct declared_arithmetic<label_operand<Y>, Student>
    : arithmetic_of<operand_storage<Student>, operand_storage<Student>> {};
template <class O, class Student>
struct declared_arithmetic<mixture_operand<O>, Student> : declared_arithmetic<O, Student> {};
template <class O, class... Others, class Student>
struct declared_arithmetic<mixture_operand<O, Others...>, Student>
    : arithmetic_of<operand_storage<O>,
                    typename declared_arithmetic<mixture_operand<Others...>, Student>::type> {};

}  // namespace DIVOT_ABI
}  // namespace divot
