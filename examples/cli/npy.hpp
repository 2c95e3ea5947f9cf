// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// A .npy file in memory: NumPy's format, versions 1 to 3.
struct npy_array {
  std::string path;
  char kind = 0;              ///< 'f' floating, 'i' signed, 'u' unsigned, 'b' bool
  std::size_t item_size = 0;  ///< bytes an element
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::vector<char> bytes;  ///< the whole file
  std::size_t begin = 0;    ///< where its elements begin

  char const* data() const { return bytes.data() + begin; }
  std::size_t size() const;  ///< elements
  std::string dtype() const { return kind + std::to_string(item_size); }
  std::string shape_text() const;  ///< as Python writes it: (3, 4)
};

/// Element i in the order of the file. Source must be the type that the file holds.
template <class Source>
Source npy_element(npy_array const& array, std::size_t i) {
  Source value;
  std::memcpy(static_cast<void*>(&value), array.data() + i * sizeof(Source), sizeof(Source));
  return value;
}

/// Reads a file whose elements are little-endian numbers or bools; everything else is a flaw.
npy_array read_npy(std::string const& path);

/// The header of a version 1 file in C order, padded as NumPy does it. dtype: "<f4", say.
std::string npy_header(std::string_view dtype, std::vector<std::size_t> const& shape);

/// An integer or bool array of one dimension; `what` names it in errors.
std::vector<std::int64_t> to_integers(npy_array const& array, std::string_view what);

/// The elements of an integer or bool array in the order of the file, whatever its shape.
std::vector<std::int64_t> integer_elements(npy_array const& array, std::string_view what);

/// A floating or integer array of one dimension.
std::vector<double> to_numbers(npy_array const& array, std::string_view what);

}  // namespace cli
