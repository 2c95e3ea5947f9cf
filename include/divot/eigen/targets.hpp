// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/diagnostics.hpp>
#include <divot/core/options.hpp>
#include <divot/eigen/operands.hpp>

#include <array>
#include <cmath>

namespace divot {

/// Where a gradient goes: overwritten, or `scale` times the gradient added to what is there.
template <class Storage>
struct gradient_target {
  matrix_ref<Storage> matrix;
  bool add = false;
  double scale = 1;
};

/// Stands for a gradient that is not wanted.
struct no_gradient {};

/// Where diagnostics go, or that they are not wanted.
template <class Storage>
struct diagnostics_target {
  divot::diagnostics<Storage>* what;
};
struct no_diagnostics {};

/// Which gradients a call computes, and where they go. Start with `gradients()` and name them:
///
///   gradients().student(g).teacher(h).temperature(dt).parameters(ab).diagnostics(d)
///
/// student      rows × student's columns, any storage; or accumulate(g, scale)
/// teacher      rows × teacher's columns, likewise; the teacher must be logits or log-probabilities
/// temperature  a temperature_gradient, written
/// parameters   {∂/∂α, ∂/∂β} of an alpha_beta loss, written
/// diagnostics  what else the rows tell; see there
template <class Student = no_gradient, class Teacher = no_gradient,
          class Diagnostics = no_diagnostics>
struct gradient_request {
  Student student_target = {};
  Teacher teacher_target = {};
  temperature_gradient* temperature_target = nullptr;
  std::array<double, 2>* parameter_target = nullptr;
  Diagnostics diagnostics_to = {};

  template <class G>
  auto student(G&& g) const;
  template <class G>
  auto teacher(G&& g) const;
  gradient_request temperature(temperature_gradient& g) const {
    auto copy = *this;
    copy.temperature_target = &g;
    return copy;
  }
  gradient_request parameters(std::array<double, 2>& g) const {
    auto copy = *this;
    copy.parameter_target = &g;
    return copy;
  }
  template <class S>
  auto diagnostics(divot::diagnostics<S>& d) const {
    return gradient_request<Student, Teacher, diagnostics_target<S>>{
        student_target, teacher_target, temperature_target, parameter_target, {&d}};
  }
};

inline namespace DIVOT_ABI {

template <class X>
inline constexpr bool is_gradient_target = false;
template <class S>
inline constexpr bool is_gradient_target<gradient_target<S>> = true;
template <class X>
inline constexpr bool is_gradient_request = false;
template <class S, class H, class D>
inline constexpr bool is_gradient_request<gradient_request<S, H, D>> = true;
template <class Request>
inline constexpr bool wants_diagnostics = false;
template <class S, class H, class D>
inline constexpr bool wants_diagnostics<gradient_request<S, H, diagnostics_target<D>>> = true;

/// A matrix (or a target already) as a gradient_target.
template <class G>
auto target_of(G&& g) {
  using bare = std::remove_cvref_t<G>;
  if constexpr (is_gradient_target<bare>) {
    return g;
  } else if constexpr (is_matrix_ref<bare>) {
    static_assert(!std::is_const_v<std::remove_pointer_t<decltype(bare::data)>>,
                  "divot: the gradient must be writable: matrix_ref<T>, not matrix_ref<T const>");
    return gradient_target<storage_t<bare>>{{g.data, g.rows, g.cols, g.row_stride, g.col_stride}};
  } else {
    static_assert(eigen_dense<bare>,
                  "divot: the gradient must be a dense Eigen object, a "
                  "matrix_ref, accumulate(...) or gradients()");
    constexpr bool writable = (int(Eigen::internal::traits<bare>::Flags) & Eigen::LvalueBit) &&
                              !std::is_const_v<std::remove_reference_t<G>>;
    static_assert(
        writable && has_memory<bare>(),
        "divot: the gradient must be writable and have memory: a matrix, Map, Ref or block "
        "of one, not const and not a lazy expression");
    static_assert(
        !std::is_base_of_v<Eigen::PlainObjectBase<bare>, bare> || std::is_lvalue_reference_v<G>,
        "divot: the gradient would be lost: this matrix is a temporary");
    return gradient_target<storage_t<bare>>{view_of<storage_t<bare>>(g)};
  }
}

/// Adds scale·gradient to the matrix instead of overwriting it.
template <class G>
auto accumulate(G&& g, double scale = 1) {
  auto target = target_of(std::forward<G>(g));
  if (!std::isfinite(scale)) fail("accumulate: the scale is ", scale, "; it must be finite");
  target.add = true;
  target.scale = scale;
  return target;
}

/// A plain view of a writable matrix.
template <class G>
auto view(G&& g) {
  return target_of(std::forward<G>(g)).matrix;
}

/// The empty request; see gradient_request.
inline gradient_request<> gradients() { return {}; }

/// What may be meant as "where": the batch, which comes next, is not.
template <class W>
concept gradient_place = !std::is_same_v<std::remove_cvref_t<W>, batch>;

/// Whatever the caller passed as "where", as a request.
template <class W>
auto request_of(W&& where) {
  if constexpr (is_gradient_request<std::remove_cvref_t<W>>) {
    return where;
  } else {
    return gradients().student(std::forward<W>(where));
  }
}

}  // namespace DIVOT_ABI

template <class S, class H, class D>
template <class G>
auto gradient_request<S, H, D>::student(G&& g) const {
  auto const target = target_of(std::forward<G>(g));
  return gradient_request<std::remove_const_t<decltype(target)>, H, D>{
      target, teacher_target, temperature_target, parameter_target, diagnostics_to};
}
template <class S, class H, class D>
template <class G>
auto gradient_request<S, H, D>::teacher(G&& g) const {
  auto const target = target_of(std::forward<G>(g));
  return gradient_request<S, std::remove_const_t<decltype(target)>, D>{
      student_target, target, temperature_target, parameter_target, diagnostics_to};
}

}  // namespace divot
