// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <vector>

namespace digits {

/// A row per image, a column per pixel or class.
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// Any matrix or block of rows, unchanged.
using view = Eigen::Ref<matrix const>;

constexpr int pixels = 64;
constexpr int classes = 10;
constexpr int darkest = 16;

struct dataset {
  matrix images;  ///< images × pixels, values in [0, 1]
  std::vector<std::int64_t> labels;

  Eigen::Index size() const { return images.rows(); }
};

/// Something wrong with the data file; what() is "file:line: flaw".
struct data_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads one image a line: 64 whole numbers from 0 to 16 and the digit, with commas between them.
dataset read_digits(std::filesystem::path const& path);

/// Rows [first, first + count).
dataset slice(dataset const& all, Eigen::Index first, Eigen::Index count);

/// Chosen rows.
dataset select(dataset const& all, std::span<Eigen::Index const> rows);

}  // namespace digits
