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
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace cli {

/// The type that the library calculates in, for logits stored as Storage.
template <class Storage>
using arithmetic = std::conditional_t<sizeof(Storage) < sizeof(double), float, Storage>;

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Teachers and student in the type that is calculated in, rounded to that of --dtype. A sparse
/// teacher is not among them.
template <class T>
struct logits_set {
  using storage = T;
  char const* dtype = nullptr;
  std::vector<matrix<T>> teachers;
  matrix<T> student;
};

using any_logits = std::variant<logits_set<float>, logits_set<double>>;

/// The names of --dtype, and the type of each. Numbers of 16 bits are read as float, which holds
/// them all: the library would do the same to each as it reads it, and takes them as they are.
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
matrix<T> to_matrix(npy_array const& array, std::string_view what = "logits") {
  if (array.shape.size() != 2) {
    fail(array.path, ": the shape is ", array.shape_text(), "; ", what, " have two dimensions");
  }
  if (array.kind != 'f') {
    fail(array.path, ": dtype ", array.dtype(), ": ", what, " are float16, float32 or float64");
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

/// An integer or bool array of two dimensions; with `or_row` one of one dimension is a row.
inline matrix<std::int64_t> to_integer_matrix(npy_array const& array, std::string_view what,
                                              bool or_row = false) {
  bool const is_row = or_row && array.shape.size() == 1;
  if (array.shape.size() != 2 && !is_row) {
    fail(array.path, ": the shape is ", array.shape_text(), "; ", what, " have ",
         or_row ? "one dimension or two" : "two dimensions");
  }
  std::vector<std::int64_t> const elements = integer_elements(array, what);
  auto const rows = is_row ? 1 : static_cast<Eigen::Index>(array.shape.front());
  auto const cols = static_cast<Eigen::Index>(array.shape.back());
  using by_columns = Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic>;
  if (array.fortran_order) return Eigen::Map<by_columns const>(elements.data(), rows, cols);
  return Eigen::Map<matrix<std::int64_t> const>(elements.data(), rows, cols);
}

}  // namespace cli
