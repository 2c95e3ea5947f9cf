// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "inputs.hpp"

#include "flaw.hpp"
#include "npy.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <type_traits>
#include <utility>

namespace cli {
namespace {

/// The type to store all matrices in: as asked for, else the widest of the files.
std::string storage_name(std::string const& asked, std::vector<npy_array> const& files) {
  if (!asked.empty()) return asked;
  std::size_t widest = 0;
  for (npy_array const& file : files) widest = std::max(widest, file.item_size);
  return widest == 2 ? "f16" : widest == 4 ? "f32" : "f64";
}

/// Rounded to Stored. The student's file is the last one.
template <class Stored>
any_logits read_set(std::vector<npy_array> files) {
  logits_set<arithmetic<Stored>> all;
  all.dtype = dtype_name<Stored>();
  for (npy_array& file : files) {
    all.teachers.push_back(to_matrix<Stored>(file).template cast<arithmetic<Stored>>());
    file.bytes = {};  // the file's copy is not needed while the next one is converted
  }
  all.student = std::move(all.teachers.back());
  all.teachers.pop_back();
  return all;
}

any_logits read_logits(input_options const& options) {
  std::vector<npy_array> files;
  for (std::string const& path : options.teachers) files.push_back(read_npy(path));
  files.push_back(read_npy(options.student));
  std::string const type = storage_name(options.dtype, files);
  if (type == "f16") return read_set<Eigen::half>(std::move(files));
  if (type == "bf16") return read_set<Eigen::bfloat16>(std::move(files));
  if (type == "f32") return read_set<float>(std::move(files));
  return read_set<double>(std::move(files));
}

void check_teachers(input_options const& options) {
  bool const sparse = !options.top_k.empty();
  if (!options.has_teacher() && !options.teacher_transforms.empty()) {
    fail("--teacher-transforms: there is no teacher");
  }
  if (!options.teachers.empty() && sparse) {
    fail("--teacher-top-k: a sparse teacher cannot stand beside --teacher");
  }
  if (!sparse) {
    for (auto const& [name, value] : {std::pair("--tail", &options.tail),
                                      std::pair("--tail-log-mass", &options.tail_log_mass)}) {
      if (!value->empty()) fail(name, ": only a sparse teacher has a tail: give --teacher-top-k");
    }
  } else if (!options.teacher_transforms.empty()) {
    fail("--teacher-transforms: a sparse teacher has no logits to transform");
  }
  if (options.teacher_weights.empty()) return;
  if (options.teacher_weights.size() != options.teachers.size()) {
    fail("--teacher-weights: ", options.teacher_weights.size(), " weights for ",
         options.teachers.size(), " teachers");
  }
  double total = 0;
  for (double const w : options.teacher_weights) {
    if (!(w >= 0) || !std::isfinite(w)) {
      fail("--teacher-weights: ", w, "; a weight must be 0 or positive");
    }
    total += w;
  }
  if (!(std::abs(total - 1) <= 1e-12 * static_cast<double>(options.teachers.size()))) {
    std::ostringstream sum;
    sum.precision(15);
    sum << total;
    fail("--teacher-weights: the weights sum to ", sum.str(), "; they must sum to 1");
  }
}

void check_options(input_options const& options) {
  if (!(options.temperature > 0) || !std::isfinite(options.temperature)) {
    fail("--temperature: ", options.temperature, "; it must be positive and finite");
  }
  if (options.has_valid_classes && options.valid_classes < 1) {
    fail("--valid-classes: ", options.valid_classes, "; at least 1 class must be valid");
  }
  check_teachers(options);
  if (options.repeat < 1) fail("--repeat: ", options.repeat, "; at least 1 run is needed");
}

template <class T>
void check_shapes(problem& p, logits_set<T> const& all) {
  auto const& student = all.student;
  auto const check_width = [&](std::string const& path, Eigen::Index cols) {
    if (p.from.has_valid_classes && p.from.valid_classes > cols) {
      fail(path, ": ", cols, " columns, fewer than --valid-classes ", p.from.valid_classes);
    }
  };
  for (std::size_t i = 0; i < all.teachers.size(); ++i) {
    auto const& teacher = all.teachers[i];
    std::string const& path = p.from.teachers[i];
    if (teacher.rows() != student.rows()) {
      fail(p.from.student, ": ", student.rows(), " rows, but ", path, " has ", teacher.rows());
    }
    check_width(path, teacher.cols());
    if (!p.from.has_valid_classes && teacher.cols() != student.cols()) {
      fail(p.from.student, ": ", student.cols(), " columns, but ", path, " has ", teacher.cols(),
           "; if the rest is padding, give --valid-classes");
    }
  }
  check_width(p.from.student, student.cols());
  p.rows = student.rows();
  p.classes = p.from.has_valid_classes ? p.from.valid_classes : student.cols();
  if (p.rows > 0 && p.classes == 0) fail(p.from.student, ": no classes (0 columns)");
}

/// What is left to check once the mask is there.
template <class T>
void check_transforms_of(problem const& p, logits_set<T> const& all) {
  auto const is_valid = [&](divot::index i) { return p.is_valid(i); };
  for (auto const& teacher : all.teachers) {
    check_transforms(p.teacher_transforms, p.rows, teacher.cols(), p.classes, is_valid);
  }
  check_transforms(p.student_transforms, p.rows, all.student.cols(), p.classes, is_valid);
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

std::vector<std::string> files_of(input_options const& options) {
  std::vector<std::string> files = options.teachers;
  auto const add = [&](std::vector<std::string> const& more) {
    files.insert(files.end(), more.begin(), more.end());
  };
  add(options.top_k);
  add({options.tail_log_mass, options.student, options.labels, options.mask, options.weights});
  add(transform_files(options.teacher_transforms));
  add(transform_files(options.student_transforms));
  std::erase(files, std::string());
  return files;
}

problem read_problem(input_options const& options) {
  check_options(options);
  problem p;
  p.from = options;
  p.teacher_weights = options.teacher_weights;
  if (p.teacher_weights.empty()) {
    std::size_t const count = options.teachers.size();
    p.teacher_weights.assign(count, 1 / static_cast<double>(count));
  }
  p.logits = read_logits(options);
  if (!options.top_k.empty()) {
    p.sparse = read_sparse_teacher(options.top_k[0], options.top_k[1], options.tail_log_mass,
                                   options.tail);
  }
  p.teacher_transforms = read_transforms("--teacher-transforms", options.teacher_transforms);
  p.student_transforms = read_transforms("--student-transforms", options.student_transforms);
  std::visit([&](auto const& all) { check_shapes(p, all); }, p.logits);
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
  std::visit([&](auto const& all) { check_transforms_of(p, all); }, p.logits);
  if (p.sparse) {
    check_sparse_teacher(*p.sparse, options.student, p.rows, p.classes,
                         [&](divot::index i) { return p.is_valid(i); });
  }
  return p;
}

void throw_bad_logits(problem const& inputs) {
  auto const fault = [&](auto const& logits, divot::index i) -> std::optional<std::string> {
    bool is_empty = true;
    for (divot::index j = 0; j < inputs.classes; ++j) {
      auto const x = static_cast<double>(logits(i, j));
      if (std::isnan(x)) return ", column " + std::to_string(j) + ": NaN";
      if (std::isinf(x) && x > 0) return ", column " + std::to_string(j) + ": +inf";
      is_empty = is_empty && std::isinf(x);
    }
    if (is_empty) return ": every logit is -inf";
    return std::nullopt;
  };
  std::string first;
  std::vector<bool> bad(static_cast<std::size_t>(inputs.rows));
  auto const scan = [&](std::string const& path, auto const& logits) {
    for (divot::index i = 0; i < inputs.rows; ++i) {
      if (!inputs.is_valid(i)) continue;
      auto const what = fault(logits, i);
      if (!what) continue;
      bad[static_cast<std::size_t>(i)] = true;
      if (first.empty()) first = path + ": row " + std::to_string(i) + *what;
    }
  };
  std::visit(
      [&](auto const& all) {
        for (std::size_t t = 0; t < all.teachers.size(); ++t) {
          scan(inputs.from.teachers[t], all.teachers[t]);
        }
        scan(inputs.from.student, all.student);
      },
      inputs.logits);
  auto const count = std::count(bad.begin(), bad.end(), true);
  if (count == 0) return;
  fail(first, count > 1 ? " (" + std::to_string(count) + " rows are bad)" : std::string());
}

}  // namespace cli
