// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What the fragments in the documentation take for granted.
#include <divot/divot.hpp>

#include <Eigen/Core>

#include <array>
#include <cstdint>
#include <vector>

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
inline matrix teacher, student, gradient, teacher_gradient;
inline std::vector<std::int64_t> y;
