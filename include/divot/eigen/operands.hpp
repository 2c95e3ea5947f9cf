// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/types.hpp>
#include <divot/eigen/operand.hpp>
#include <divot/row/operand.hpp>

#include <Eigen/Core>

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace divot {

template <>
inline constexpr sixteen_bits bits_of<Eigen::half> = sixteen_bits::half;
template <>
inline constexpr sixteen_bits bits_of<Eigen::bfloat16> = sixteen_bits::bfloat16;

/// A label per row as a teacher. Made by `labels`.
template <class Stored>
struct label_operand {
  Stored y;
  double smoothing = 0;
};

inline namespace DIVOT_ABI {

template <class X>
inline constexpr bool is_matrix_ref = false;
template <class S>
inline constexpr bool is_matrix_ref<matrix_ref<S>> = true;
template <class X>
inline constexpr bool is_operand = false;
template <class S, int K, class... F>
inline constexpr bool is_operand<operand<S, K, F...>> = true;
template <class X>
inline constexpr bool is_label_operand = false;
template <class S>
inline constexpr bool is_label_operand<label_operand<S>> = true;

template <class X>
concept eigen_dense = std::derived_from<X, Eigen::DenseBase<X>>;

/// A matrix of any kind that divot reads: an Eigen dense expression or a plain view.
template <class X>
concept matrix_like = eigen_dense<std::remove_cvref_t<X>> || is_matrix_ref<std::remove_cvref_t<X>>;

template <class X>
inline constexpr bool is_top_k_operand = false;

/// What the verbs accept as teacher or student.
template <class X>
concept operand_like = matrix_like<X> || is_operand<std::remove_cvref_t<X>> ||
    is_label_operand<std::remove_cvref_t<X>> || is_top_k_operand<std::remove_cvref_t<X>>;

/// How an operand keeps X: a reference to a matrix that lives elsewhere, a copy of a view or an
/// expression, and the value of a product (which would otherwise be computed again for each row).
template <class X>
struct keep {
  using bare = std::remove_cvref_t<X>;
  static constexpr bool plain = [] {
    if constexpr (eigen_dense<bare>) {
      return std::derived_from<bare, Eigen::PlainObjectBase<bare>>;
    } else {
      return false;
    }
  }();
  static constexpr bool evaluate = [] {
    if constexpr (eigen_dense<bare>) {
      return !plain && (int(Eigen::internal::evaluator<bare>::Flags) & Eigen::EvalBeforeNestingBit);
    } else {
      return false;
    }
  }();
  static auto type_of() {
    if constexpr (plain && std::is_lvalue_reference_v<X>) {
      return std::type_identity<bare const&>{};
    } else if constexpr (evaluate) {
      return std::type_identity<typename bare::PlainObject>{};
    } else {
      return std::type_identity<bare>{};
    }
  }
  using type = typename decltype(type_of())::type;
};

/// Logits at a temperature: probabilities are softmax(x/T).
///
/// x            rows × classes
/// temperature  > 0; the default of every term that names none with `at`
template <matrix_like X>
auto logits(X&& x, double temperature = 1) {
  return operand<typename keep<X&&>::type, int(operand_kind::logits)>{std::forward<X>(x),
                                                                      temperature};
}

/// Probabilities, rows × classes, each row summing to 1 (within 1e-3 for 16-bit storage, 1e-5 for
/// float, 1e-12 for double). As a student the gradient is the tangent one, w/q − Σw.
///
/// Computed in double: the logarithm of a rounded probability has lost what a small difference
/// between teacher and student needs.
template <matrix_like X>
auto probabilities(X&& x) {
  return operand<typename keep<X&&>::type, int(operand_kind::probabilities)>{std::forward<X>(x), 1};
}

/// Log-probabilities, rows × classes; their exponentials sum to 1 (tolerances as above). As a
/// student the gradient is that with respect to logits (it passes log-softmax unchanged).
template <matrix_like X>
auto log_probabilities(X&& x) {
  return operand<typename keep<X&&>::type, int(operand_kind::log_probabilities)>{std::forward<X>(x),
                                                                                 1};
}

/// A label per row as the teacher: (1 − smoothing)·one-hot + smoothing/K over the K valid classes.
///
/// y          rows integers in [0, classes): anything with size() and [] (std::vector, std::span,
///            an Eigen vector)
/// smoothing  in [0, 1)
template <class Y>
requires requires(Y const& y) {
  { y[0] } -> std::convertible_to<std::int64_t>;
  y.size();
}
auto labels(Y&& y, double smoothing = 0) {
  using bare = std::remove_cvref_t<Y>;
  static_assert(std::integral<std::remove_cvref_t<decltype(y[0])>>,
                "divot: labels must be integers, one a row");
  using stored = std::conditional_t<std::is_lvalue_reference_v<Y>, bare const&, bare>;
  return label_operand<stored>{std::forward<Y>(y), smoothing};
}

/// An expression's coefficients. Eigen's evaluators cannot be copied, but made again.
template <class Xpr>
class coefficients_of {
 public:
  explicit coefficients_of(Xpr const& x) : x_(&x), evaluator_(x) {}
  coefficients_of(coefficients_of const& other) : coefficients_of(*other.x_) {}
  coefficients_of& operator=(coefficients_of const&) = delete;
  DIVOT_INLINE auto operator()(index i, index k) const { return evaluator_.coeff(i, k); }

 private:
  Xpr const* x_;
  Eigen::internal::evaluator<Xpr> evaluator_;
};

/// A dense Eigen expression without memory of its own, evaluated row by row.
template <class T, class Xpr>
class expression_source {
 public:
  explicit expression_source(Xpr const& x) : coefficients_(x), rows_(x.rows()), cols_(x.cols()) {
    if (is_vector) {
      cols_ = rows_ * cols_;
      rows_ = 1;
    }
  }
  index rows() const { return rows_; }
  index cols() const { return cols_; }
  T const* direct(index) const { return nullptr; }
  void const* fetched(index) const { return nullptr; }
  bool by_panels() const { return !Xpr::IsRowMajor && !is_vector; }
  /// One coefficient.
  T at(index row, index col) const {
    return is_column ? T(coefficients_(col, 0)) : T(coefficients_(row, col));
  }
  void read(index first, index count, index classes, T* out, index step) const {
    if (by_panels()) {
      for (index k = 0; k < classes; ++k) {
        for (index i = 0; i < count; ++i) out[i * step + k] = T(coefficients_(first + i, k));
      }
      return;
    }
    for (index i = 0; i < count; ++i) {
      for (index k = 0; k < classes; ++k) {
        if constexpr (is_column) {
          out[i * step + k] = T(coefficients_(k, 0));
        } else {
          out[i * step + k] = T(coefficients_(first + i, k));
        }
      }
    }
  }
  static double tolerance() {
    using S = typename Xpr::Scalar;
    return sizeof(S) == 2 ? 1e-3 : std::is_same_v<S, float> ? 1e-5 : 1e-12;
  }

 private:
  static constexpr bool is_vector = Xpr::IsVectorAtCompileTime;
  static constexpr bool is_column = is_vector && int(Xpr::ColsAtCompileTime) == 1;
  coefficients_of<Xpr> coefficients_;
  index rows_, cols_;
};

template <class X>
constexpr bool has_memory() {
  if constexpr (eigen_dense<X>) {
    return bool(int(Eigen::internal::traits<X>::Flags) & Eigen::DirectAccessBit);
  } else {
    return true;
  }
}

/// The plain view of an Eigen object with memory. A vector is one row, lying or standing.
template <class Storage, class X>
matrix_ref<Storage> view_of(X& x) {
  using bare = std::remove_const_t<X>;
  if constexpr (bare::IsVectorAtCompileTime) {
    return {x.data(), 1, x.size(), x.size(), x.innerStride()};
  } else if constexpr (bare::IsRowMajor) {
    return {x.data(), x.rows(), x.cols(), x.outerStride(), x.innerStride()};
  } else {
    return {x.data(), x.rows(), x.cols(), x.innerStride(), x.outerStride()};
  }
}

/// The scalar a matrix stores.
template <class X>
struct storage_of {
  using type = typename X::Scalar;
};
template <class S>
struct storage_of<matrix_ref<S>> {
  using type = std::remove_const_t<S>;
};
template <class X>
using storage_t = typename storage_of<std::remove_cvref_t<X>>::type;

/// The source of rows for a matrix: its memory where it has some, its evaluator where not.
template <class T, class X>
auto source_of(X const& x) {
  if constexpr (is_matrix_ref<X>) {
    using S = storage_t<X>;
    return strided_source<T, S>(
        matrix_ref<S const>(x.data, x.rows, x.cols, x.row_stride, x.col_stride));
  } else if constexpr (has_memory<X>()) {
    return strided_source<T, storage_t<X>>(view_of<storage_t<X> const>(x));
  } else {
    return expression_source<T, X>(x);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
