// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "sparse_teacher.hpp"

#include "flaw.hpp"
#include "npy.hpp"

#include <cmath>

namespace cli {
namespace {

/// What is said of probabilities as wide as those of the file, as the library does.
double tolerance_of(npy_array const& file) {
  return file.item_size == 2 ? 1e-3 : file.item_size == 4 ? 1e-5 : 1e-12;
}

/// One row's classes; `last` holds, for each class, the row that named it last.
void check_classes(sparse_teacher const& t, divot::index row, std::vector<divot::index>& last) {
  auto const classes = static_cast<std::int64_t>(last.size());
  for (divot::index j = 0; j < t.named(); ++j) {
    std::int64_t const k = t.indices(row, j);
    if (k < 0 || k >= classes) {
      fail(t.indices_path, ": row ", row, ", column ", j, ": class ", k, " is not in 0 … ",
           classes - 1, " (--mask leaves rows out)");
    }
    if (last[static_cast<std::size_t>(k)] == row) {
      fail(t.indices_path, ": row ", row, ", column ", j, ": class ", k,
           " stands there a second time");
    }
    last[static_cast<std::size_t>(k)] = row;
  }
}

void check_masses(sparse_teacher const& t, divot::index row, divot::index classes) {
  double sum = 0;
  for (divot::index j = 0; j < t.named(); ++j) {
    double const x = t.log_p(row, j);
    if (!(x <= t.tolerance)) {
      fail(t.log_p_path, ": row ", row, ", column ", j, ": the log-probability is ", x,
           "; it must not be positive");
    }
    sum += std::exp(x);
  }
  if (sum > 1 + t.tolerance) {
    fail(t.log_p_path, ": row ", row, ": the probabilities sum to ", sum, ", more than 1");
  }
  if (!t.log_mass.empty()) {
    double const rest = t.log_mass[static_cast<std::size_t>(row)];
    if (!(rest <= t.tolerance)) {
      fail(t.log_mass_path, ": row ", row, ": the log tail mass is ", rest,
           "; it must not be positive");
    }
    double const total = sum + std::exp(rest);
    if (!(std::abs(total - 1) <= t.tolerance)) {
      fail(t.log_mass_path, ": row ", row, ": probabilities and tail mass sum to ", total,
           " instead of 1");
    }
  }
  if (t.tail == divot::tail::renormalise && sum == 0) {
    fail(t.log_p_path, ": row ", row, ": every class is -inf");
  }
  if (t.tail != divot::tail::renormalise && t.named() == classes && sum < 1 - t.tolerance) {
    fail(t.log_p_path, ": row ", row, ": every class is named, but the probabilities sum to ", sum,
         " instead of 1");
  }
}

}  // namespace

sparse_teacher read_sparse_teacher(std::string const& indices, std::string const& log_p,
                                   std::string const& log_mass, std::string const& tail) {
  sparse_teacher t;
  t.indices_path = indices;
  t.log_p_path = log_p;
  t.log_mass_path = log_mass;
  t.indices = to_integer_matrix(read_npy(indices), "indices of classes");
  npy_array const file = read_npy(log_p);
  t.log_p = to_matrix<double>(file, "log-probabilities");
  t.tolerance = tolerance_of(file);
  if (!log_mass.empty()) t.log_mass = to_numbers(read_npy(log_mass), "log tail masses");
  t.tail = tail == "uniform"  ? divot::tail::uniform
           : tail == "bucket" ? divot::tail::bucket
                              : divot::tail::renormalise;
  return t;
}

void check_sparse_teacher(sparse_teacher const& t, std::string const& student, divot::index rows,
                          divot::index classes, std::function<bool(divot::index)> const& is_valid) {
  if (t.indices.rows() != t.log_p.rows() || t.indices.cols() != t.log_p.cols()) {
    fail(t.log_p_path, ": ", t.log_p.rows(), " × ", t.log_p.cols(), ", but ", t.indices_path,
         " is ", t.indices.rows(), " × ", t.indices.cols());
  }
  if (t.rows() != rows) {
    fail(student, ": ", rows, " rows, but ", t.indices_path, " has ", t.rows());
  }
  if (!t.log_mass.empty() && static_cast<divot::index>(t.log_mass.size()) != rows) {
    fail(t.log_mass_path, ": ", t.log_mass.size(), " elements, but ", student, " has ", rows,
         " rows");
  }
  std::vector<divot::index> last(static_cast<std::size_t>(classes), -1);
  for (divot::index row = 0; row < rows; ++row) {
    if (!is_valid(row)) continue;
    check_classes(t, row, last);
    check_masses(t, row, classes);
  }
}

}  // namespace cli
