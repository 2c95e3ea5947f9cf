// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "inputs.hpp"

#include "flaw.hpp"
#include "npy.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace cli {
namespace {

/// The type to store both matrices in: as asked for, else the wider one of the two files.
std::string storage_name(std::string const& asked, npy_array const& a, npy_array const& b) {
  if (!asked.empty()) return asked;
  switch (std::max(a.item_size, b.item_size)) {
    case 2:
      return "f16";
    case 4:
      return "f32";
    default:
      return "f64";
  }
}

template <class T>
any_logits read_pair(npy_array teacher, npy_array student) {
  logits_pair<T> pair;
  pair.teacher = to_matrix<T>(teacher);
  teacher.bytes = {};  // the file's copy is not needed while the other one is converted
  pair.student = to_matrix<T>(student);
  return pair;
}

any_logits read_logits(input_options const& options) {
  npy_array teacher = read_npy(options.teacher);
  npy_array student = read_npy(options.student);
  std::string const type = storage_name(options.dtype, teacher, student);
  if (type == "f16") return read_pair<Eigen::half>(std::move(teacher), std::move(student));
  if (type == "bf16") return read_pair<Eigen::bfloat16>(std::move(teacher), std::move(student));
  if (type == "f32") return read_pair<float>(std::move(teacher), std::move(student));
  return read_pair<double>(std::move(teacher), std::move(student));
}

void check_options(input_options const& options) {
  if (!(options.temperature > 0) || !std::isfinite(options.temperature)) {
    fail("--temperature: ", options.temperature, "; it must be positive and finite");
  }
  if (options.has_valid_classes && options.valid_classes < 1) {
    fail("--valid-classes: ", options.valid_classes, "; at least 1 class must be valid");
  }
  if (options.repeat < 1) fail("--repeat: ", options.repeat, "; at least 1 run is needed");
}

template <class Pair>
void check_shapes(problem& p, Pair const& pair) {
  auto const& [teacher, student] = pair;
  if (teacher.rows() != student.rows()) {
    fail(p.from.student, ": ", student.rows(), " rows, but ", p.from.teacher, " has ",
         teacher.rows());
  }
  if (p.from.has_valid_classes) {
    for (bool const is_teacher : {true, false}) {
      Eigen::Index const cols = is_teacher ? teacher.cols() : student.cols();
      if (p.from.valid_classes > cols) {
        fail(is_teacher ? p.from.teacher : p.from.student, ": ", cols,
             " columns, fewer than --valid-classes ", p.from.valid_classes);
      }
    }
  } else if (teacher.cols() != student.cols()) {
    fail(p.from.student, ": ", student.cols(), " columns, but ", p.from.teacher, " has ",
         teacher.cols(), "; if the rest is padding, give --valid-classes");
  }
  p.rows = student.rows();
  p.classes = p.from.has_valid_classes ? p.from.valid_classes : student.cols();
  if (p.rows > 0 && p.classes == 0) fail(p.from.student, ": no classes (0 columns)");
}

template <class T>
void check_length(problem const& p, std::string const& path, std::vector<T> const& values) {
  if (static_cast<divot::index>(values.size()) != p.rows) {
    fail(path, ": ", values.size(), " elements, but ", p.from.student, " has ", p.rows, " rows");
  }
}

void check_labels(problem const& p) {
  for (divot::index i = 0; i < p.rows; ++i) {
    std::int64_t const label = p.labels[static_cast<std::size_t>(i)];
    if (p.is_valid(i) && (label < 0 || label >= p.classes)) {
      fail(p.from.labels, ": row ", i, ": label ", label, " is not in 0 … ", p.classes - 1,
           " (--mask leaves rows out)");
    }
  }
}

}  // namespace

divot::batch problem::batch() const {
  divot::batch options;
  options.reduction = from.reduction == "mean"  ? divot::reduction::mean
                      : from.reduction == "sum" ? divot::reduction::sum
                                                : divot::reduction::none;
  options.weights = weights;
  options.mask = mask;
  options.labels = labels;
  options.valid_classes = from.valid_classes;
  return options;
}

problem read_problem(input_options const& options) {
  check_options(options);
  problem p;
  p.from = options;
  p.logits = read_logits(options);
  std::visit([&](auto const& pair) { check_shapes(p, pair); }, p.logits);
  if (!options.mask.empty()) {
    for (std::int64_t const x : to_integers(read_npy(options.mask), "masks")) {
      p.mask.push_back(x != 0);
    }
    check_length(p, options.mask, p.mask);
  }
  if (!options.labels.empty()) {
    p.labels = to_integers(read_npy(options.labels), "labels");
    check_length(p, options.labels, p.labels);
    check_labels(p);
  }
  if (!options.weights.empty()) {
    p.weights = to_numbers(read_npy(options.weights), "weights");
    check_length(p, options.weights, p.weights);
    for (std::size_t i = 0; i < p.weights.size(); ++i) {
      if (!std::isfinite(p.weights[i])) {
        fail(options.weights, ": row ", i, ": the weight ", p.weights[i], " is not finite");
      }
    }
  }
  for (divot::index i = 0; i < p.rows; ++i) p.valid_rows += p.is_valid(i);
  return p;
}

void throw_bad_logits(problem const& inputs, divot::index bad_rows) {
  std::string const more =
      bad_rows > 1 ? " (" + std::to_string(bad_rows) + " rows are bad)" : std::string();
  auto const scan = [&](std::string const& path, auto const& logits) {
    for (divot::index i = 0; i < inputs.rows; ++i) {
      if (!inputs.is_valid(i)) continue;
      bool is_empty = true;
      for (divot::index j = 0; j < inputs.classes; ++j) {
        auto const x = static_cast<double>(logits(i, j));
        if (std::isnan(x)) fail(path, ": row ", i, ", column ", j, ": NaN", more);
        if (std::isinf(x) && x > 0) fail(path, ": row ", i, ", column ", j, ": +inf", more);
        is_empty = is_empty && std::isinf(x);
      }
      if (is_empty) fail(path, ": row ", i, ": every logit is -inf", more);
    }
  };
  std::visit(
      [&](auto const& pair) {
        scan(inputs.from.teacher, pair.teacher);
        scan(inputs.from.student, pair.student);
      },
      inputs.logits);
}

}  // namespace cli
