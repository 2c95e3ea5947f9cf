// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/unpack.hpp>
#include <divot/eigen/operands.hpp>
#include <divot/row/transform_chain.hpp>

#include <tuple>

namespace divot {
inline namespace DIVOT_ABI {

/// How a transform keeps its numbers: as `keep` does with a matrix.
template <class X>
auto kept_numbers() {
  using bare = std::remove_cvref_t<X>;
  if constexpr (eigen_dense<bare>) {
    return std::type_identity<typename keep<X>::type>{};
  } else if constexpr (std::is_lvalue_reference_v<X>) {
    return std::type_identity<bare const&>{};
  } else {
    return std::type_identity<bare>{};
  }
}
template <class X>
using kept_numbers_t = typename decltype(kept_numbers<X>())::type;

template <class X>
concept number_list = requires(X const& x) {
  x.size();
  static_cast<double>(x[0]);
};

/// A matrix of more than one row: a mask for each row.
template <class X>
constexpr bool is_row_mask() {
  if constexpr (eigen_dense<X>) {
    return !X::IsVectorAtCompileTime;
  } else {
    return is_matrix_ref<X>;
  }
}

template <class F>
inline constexpr bool is_mask_transform = false;
template <class S>
inline constexpr bool is_mask_transform<mask_transform<S>> = true;

template <class X>
inline constexpr bool has_transforms = false;
template <class S, int K, class... F>
inline constexpr bool has_transforms<operand<S, K, F...>> = sizeof...(F) > 0;

/// Whether an operand's logits are moved on the way in, so that what is read is rounded.
template <class X>
inline constexpr bool moves_values = false;
template <class S, int K, class... F>
inline constexpr bool moves_values<operand<S, K, F...>> = (... || !is_mask_transform<F>);

/// Entry k of anything with size() and [], whatever it counts with.
template <class T, class Stored>
class vector_entries {
 public:
  explicit vector_entries(Stored const& x) : x_(&x) {}
  index size() const { return static_cast<index>(x_->size()); }
  T operator()(index k) const { return static_cast<T>(entry(k)); }
  double as_double(index k) const { return static_cast<double>(entry(k)); }

 private:
  decltype(auto) entry(index k) const { return (*x_)[static_cast<decltype(x_->size())>(k)]; }
  Stored const* x_;
};

/// A class mask: an entry a class.
template <class Stored>
class mask_of_classes {
 public:
  static constexpr bool by_rows = false;
  explicit mask_of_classes(Stored const& keep) : keep_(keep) {}
  bool operator()(index, index k) const { return keep_(k); }
  void check_shape(index, index cols, char const* who) const {
    if (keep_.size() != cols) {
      fail(who, ": the mask has ", keep_.size(), " entries for ", cols, " columns");
    }
  }

 private:
  vector_entries<bool, Stored> keep_;
};

/// A class mask for each row.
template <class Stored>
class mask_of_rows {
 public:
  static constexpr bool by_rows = true;
  explicit mask_of_rows(Stored const& keep) : keep_(of(keep)) {
    if constexpr (is_matrix_ref<Stored>) {
      rows_ = keep.rows, cols_ = keep.cols;
    } else {
      rows_ = keep.rows(), cols_ = keep.cols();
    }
  }
  bool operator()(index row, index k) const { return static_cast<bool>(keep_(row, k)); }
  void check_shape(index rows, index cols, char const* who) const {
    if (rows_ != rows || cols_ != cols) {
      fail(who, ": the mask is ", rows_, "×", cols_, ", the logits ", rows, "×", cols,
           "; it must have an entry a class, or their shape");
    }
  }

 private:
  static auto of(Stored const& keep) {
    if constexpr (is_matrix_ref<Stored>) {
      return [keep](index row, index k) {
        return keep.data[row * keep.row_stride + k * keep.col_stride];
      };
    } else {
      return coefficients_of<Stored>(keep);
    }
  }
  decltype(of(std::declval<Stored const&>())) keep_;
  index rows_ = 0, cols_ = 0;
};

template <class Team, class B>
auto bind_transform(bias_transform<B> const& f) {
  using entries = vector_entries<typename Team::scalar, std::remove_cvref_t<B>>;
  return bias_row<Team, entries>(entries(f.b));
}
template <class Team, class M>
auto bind_transform(mask_transform<M> const& f) {
  using bare = std::remove_cvref_t<M>;
  if constexpr (is_row_mask<bare>()) {
    return mask_row<Team, mask_of_rows<bare>>(mask_of_rows<bare>(f.keep));
  } else {
    return mask_row<Team, mask_of_classes<bare>>(mask_of_classes<bare>(f.keep));
  }
}

}  // namespace DIVOT_ABI

template <class Stored, int Kind, class... Transforms>
template <class B>
auto operand<Stored, Kind, Transforms...>::biased_by(B&& b) {
  using bare = std::remove_cvref_t<B>;
  static_assert(number_list<bare> && !is_row_mask<bare>(),
                "divot: a bias is a vector with a number a column: anything with size() and []");
  return bias_transform<kept_numbers_t<B&&>>{std::forward<B>(b)};
}
template <class Stored, int Kind, class... Transforms>
template <class M>
auto operand<Stored, Kind, Transforms...>::masked_by(M&& keep) {
  using bare = std::remove_cvref_t<M>;
  static_assert(is_row_mask<bare>() || number_list<bare>,
                "divot: a mask is a vector with an entry a column (anything with size() and []) or "
                "a matrix of the logits' shape");
  return mask_transform<kept_numbers_t<M&&>>{std::forward<M>(keep)};
}
template <class Stored, int Kind, class... Transforms>
template <class F>
auto operand<Stored, Kind, Transforms...>::then(F const& f) const& {
  return operand(*this).then(f);
}
template <class Stored, int Kind, class... Transforms>
template <class F>
auto operand<Stored, Kind, Transforms...>::then(F const& f) && {
  static_assert(
      Kind == int(operand_kind::logits),
      "divot: softcap, bias, standardise and mask are of logits: logits(x, T).softcap(c)");
  return operand<Stored, Kind, Transforms..., F>{
      std::forward<Stored>(x), temperature,
      std::tuple_cat(std::move(transforms), std::tuple<F>(f))};
}

}  // namespace divot
