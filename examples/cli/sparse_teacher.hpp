// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "logits.hpp"

#include <divot/core/options.hpp>
#include <divot/core/types.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cli {

/// A teacher that names K classes a row, with the logarithms of their probabilities.
struct sparse_teacher {
  std::string indices_path, log_p_path, log_mass_path;
  matrix<std::int64_t> indices;
  matrix<double> log_p;
  std::vector<double> log_mass;  ///< of the other classes, a number a row; empty: 1 − Σ p
  divot::tail tail = divot::tail::renormalise;
  double tolerance = 0;  ///< how far a sum of probabilities may be from 1

  divot::index rows() const { return log_p.rows(); }
  divot::index named() const { return log_p.cols(); }
};

/// Reads the files. No path for the mass: there is none.
sparse_teacher read_sparse_teacher(std::string const& indices, std::string const& log_p,
                                   std::string const& log_mass, std::string const& tail);

/// Checks shapes, and the entries of every row for which is_valid(row) holds, against a student of
/// that many rows and classes.
void check_sparse_teacher(sparse_teacher const& teacher, std::string const& student,
                          divot::index rows, divot::index classes,
                          std::function<bool(divot::index)> const& is_valid);

}  // namespace cli
