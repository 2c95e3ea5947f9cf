// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "flaw.hpp"
#include "npy.hpp"

#include <Eigen/Core>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <variant>

namespace cli {

/// The type that the library calculates in, for logits stored as Storage.
template <class Storage>
using arithmetic = std::conditional_t<std::is_same_v<Storage, double>, double, float>;

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Teacher and student as they are stored in memory.
template <class T>
struct logits_pair {
  using storage = T;
  matrix<T> teacher, student;
};

/// The names of --dtype, and the type of each.
using any_logits = std::variant<logits_pair<float>, logits_pair<double>, logits_pair<Eigen::half>,
                                logits_pair<Eigen::bfloat16>>;
template <class T>
constexpr char const* dtype_name() {
  if constexpr (std::is_same_v<T, float>) return "f32";
  if constexpr (std::is_same_v<T, double>) return "f64";
  if constexpr (std::is_same_v<T, Eigen::half>) return "f16";
  if constexpr (std::is_same_v<T, Eigen::bfloat16>) return "bf16";
}

/// x as a float from which rounding on to half or bfloat16 gives what rounding x itself would: the
/// last bit is set where x is not exact ("round to odd").
inline float to_odd(double x) {
  float const nearest = static_cast<float>(x);
  double const back = static_cast<double>(nearest);
  std::uint32_t const bits = std::bit_cast<std::uint32_t>(nearest);
  if (back == x || !std::isfinite(nearest) || (bits & 1) != 0) return nearest;
  return std::bit_cast<float>(std::abs(x) > std::abs(back) ? bits + 1 : bits - 1);
}

template <class To, class From>
To convert_number(From const& x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<To, float> || std::is_same_v<To, double>) {
    return static_cast<To>(x);
  } else {
    return static_cast<To>(to_odd(static_cast<double>(x)));
  }
}

/// The file's matrix, row by row, each element rounded once to T.
template <class T>
matrix<T> to_matrix(npy_array const& array) {
  if (array.shape.size() != 2) {
    fail(array.path, ": the shape is ", array.shape_text(), "; logits have two dimensions");
  }
  if (array.kind != 'f') {
    fail(array.path, ": dtype ", array.dtype(), ": logits are float16, float32 or float64");
  }
  auto const rows = static_cast<Eigen::Index>(array.shape[0]);
  auto const cols = static_cast<Eigen::Index>(array.shape[1]);
  matrix<T> out(rows, cols);
  auto const fill = [&]<class From>(From) {
    std::size_t at = 0;  // in the order of the file
    auto const put = [&](Eigen::Index i, Eigen::Index j) {
      From const x = npy_element<From>(array, at++);
      T const y = convert_number<T>(x);
      if (std::isinf(static_cast<double>(y)) && !std::isinf(static_cast<double>(x))) {
        fail(array.path, ": row ", i, ", column ", j, ": ", static_cast<double>(x),
             " is beyond the range of ", dtype_name<T>());
      }
      out(i, j) = y;
    };
    if (array.fortran_order) {
      for (Eigen::Index j = 0; j < cols; ++j) {
        for (Eigen::Index i = 0; i < rows; ++i) put(i, j);
      }
    } else {
      for (Eigen::Index i = 0; i < rows; ++i) {
        for (Eigen::Index j = 0; j < cols; ++j) put(i, j);
      }
    }
  };
  switch (array.item_size) {
    case 2:
      fill(Eigen::half{});
      break;
    case 4:
      fill(float{});
      break;
    default:
      fill(double{});
      break;
  }
  return out;
}

}  // namespace cli
