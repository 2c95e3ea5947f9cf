// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "inputs.hpp"
#include "transform_rows.hpp"

#include <divot/exec/teams.hpp>
#include <divot/row/mixture_row.hpp>
#include <divot/row/top_k_source.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace cli {

/// The logits as the files have them, in a wider type: the valid classes of a row.
template <class Wide>
struct wide_logits {
  using reader = std::function<void(divot::index row, Wide* out)>;
  std::vector<reader> teachers;
  reader student;
};

/// All of a file's logits that way; they stay where they are.
template <class Wide, class Storage>
wide_logits<Wide> widened(logits_set<Storage> const& logits, divot::index classes) {
  auto const reader = [classes](matrix<Storage> const& m) {
    return [classes, &m](divot::index row, Wide* to) {
      for (divot::index k = 0; k < classes; ++k) to[k] = static_cast<Wide>(m(row, k));
    };
  };
  wide_logits<Wide> rows;
  for (auto const& teacher : logits.teachers) rows.teachers.push_back(reader(teacher));
  rows.student = reader(logits.student);
  return rows;
}

/// How many rows a block has.
inline divot::index wide_step(divot::index classes) {
  constexpr divot::index most_elements = divot::index{1} << 20;
  return std::max<divot::index>(1, most_elements / std::max<divot::index>(1, classes));
}

/// What is done to teacher and student on the way in.
template <class Wide>
struct wide_transforms {
  transform_rows<Wide> teacher, student;
};

/// Some rows of teacher and student behind their transforms, and what a divergence at some
/// temperature compares of them: the student with logits, with a mixture of teachers or with a
/// sparse teacher, formed by the library's row functions.
template <class Wide>
class wide_block {
 public:
  wide_block(problem const& inputs, wide_logits<Wide> const& logits,
             wide_transforms<Wide> const& transforms, divot::index first, divot::index count)
      : inputs_(&inputs), first_(first) {
    for (std::size_t t = 0; t < logits.teachers.size(); ++t) {
      teachers_.push_back(
          read(logits.teachers[t], transforms.teacher, count, inputs.from.teachers[t]));
    }
    student_ = read(logits.student, transforms.student, count, inputs.from.student);
  }

  matrix<Wide> const& student() const { return student_; }

  struct compared {
    matrix<Wide> teacher, student;
    double teacher_temperature, student_temperature;
  };
  compared at(double temperature) const {
    if (inputs_->sparse) return beside_sparse(temperature);
    if (teachers_.size() > 1) return {mixture(temperature), student_, 1, temperature};
    return {teachers_.front(), student_, temperature, temperature};
  }

  /// Adds to `sum`, a gradient with respect to the student's logits, what the gradient with respect
  /// to those of `compared` comes to.
  void add_student(compared const& c, matrix<Wide> const& gradient, matrix<Wide>& sum) const {
    if (gradient.cols() == sum.cols() && !is_bucket()) {
      sum += gradient;
      return;
    }
    for (divot::index i = 0; i < gradient.rows(); ++i) {
      if (is_valid(i)) spread_bucket(c, gradient, i, sum);
    }
  }

 private:
  using team = divot::row_team<divot::simd_policy, Wide>;
  static constexpr Wide low = -std::numeric_limits<Wide>::infinity();

  bool is_valid(divot::index i) const { return inputs_->is_valid(first_ + i); }
  bool is_bucket() const { return inputs_->sparse && inputs_->sparse->tail == divot::tail::bucket; }

  matrix<Wide> read(typename wide_logits<Wide>::reader const& from,
                    transform_rows<Wide> const& transforms, divot::index count,
                    std::string const& path) const {
    divot::index const classes = inputs_->classes;
    matrix<Wide> rows = matrix<Wide>::Zero(count, classes);
    for (divot::index i = 0; i < count; ++i) {
      if (!is_valid(i)) continue;
      from(first_ + i, rows.row(i).data());
      transforms.apply(rows.row(i).data(), classes, first_ + i);
      if ((rows.row(i).array() == low).all()) {
        fail(path, ": row ", first_ + i, ": every logit that its mask leaves is -inf");
      }
    }
    return rows;
  }

  /// log Σ w softmax(t/T).
  matrix<Wide> mixture(double temperature) const {
    divot::index const classes = inputs_->classes;
    matrix<Wide> log_p(student_.rows(), classes);
    std::vector<Wide> own(static_cast<std::size_t>(classes));
    auto const each_teacher = [&](divot::index i, auto const& add) {
      for (std::size_t t = 0; t < teachers_.size(); ++t) {
        std::copy_n(teachers_[t].row(i).data(), classes, own.data());
        add(own.data(), inputs_->teacher_weights[t], t == 0);
      }
    };
    for (divot::index i = 0; i < log_p.rows(); ++i) {
      Wide* const p = log_p.row(i).data();
      auto so_far = divot::mixed_in::fully;
      each_teacher(i, [&](Wide* x, double weight, bool is_first) {
        so_far =
            std::max(so_far, divot::mix_in<team>(x, p, classes, temperature, weight, is_first));
      });
      if (so_far == divot::mixed_in::fully) {
        divot::take_logarithms<team>(p, classes);
      } else {
        each_teacher(i, [&](Wide* x, double weight, bool is_first) {
          divot::mix_logarithms<team>(x, p, classes, temperature, weight, is_first);
        });
      }
    }
    return log_p;
  }

  /// The library reads a sparse teacher through these.
  struct indices_of {
    matrix<std::int64_t> const* x;
    std::int64_t at(divot::index row, divot::index j) const { return (*x)(row, j); }
  };
  struct log_p_of {
    sparse_teacher const* teacher;
    divot::index rows() const { return teacher->rows(); }
    divot::index cols() const { return teacher->named(); }
    Wide at(divot::index row, divot::index j) const { return Wide(teacher->log_p(row, j)); }
    double tolerance() const { return teacher->tolerance; }
  };
  using sparse_rows = divot::bucket_source<Wide, indices_of, log_p_of, std::vector<double>>;

  compared beside_sparse(double temperature) const {
    sparse_teacher const& teacher = *inputs_->sparse;
    indices_of const indices{&teacher.indices};
    log_p_of const log_p{&teacher};
    sparse_rows const rows(indices, log_p, teacher.log_mass, teacher.tail);
    divot::index const count = student_.rows(), classes = inputs_->classes;
    if (!is_bucket()) {
      compared c{matrix<Wide>::Zero(count, classes), student_, 1, temperature};
      for (divot::index i = 0; i < count; ++i) {
        if (is_valid(i)) rows.read(first_ + i, 1, classes, c.teacher.row(i).data(), classes);
      }
      return c;
    }
    divot::index const kept = std::min(teacher.named() + 1, classes);
    compared c{matrix<Wide>::Zero(count, kept), matrix<Wide>::Zero(count, kept), 1, temperature};
    std::vector<Wide> own(static_cast<std::size_t>(classes));
    for (divot::index i = 0; i < count; ++i) {
      if (!is_valid(i)) continue;
      std::copy_n(student_.row(i).data(), classes, own.data());
      rows.reduce(first_ + i, classes, c.teacher.row(i).data(), own.data(), temperature);
      std::copy_n(own.data(), kept, c.student.row(i).data());
    }
    return c;
  }

  /// The bucket's gradient goes to its classes in their proportions.
  void spread_bucket(compared const& c, matrix<Wide> const& gradient, divot::index i,
                     matrix<Wide>& sum) const {
    sparse_teacher const& teacher = *inputs_->sparse;
    std::vector<bool> is_named(static_cast<std::size_t>(sum.cols()));
    for (divot::index j = 0; j < teacher.named(); ++j) {
      divot::index const k = teacher.indices(first_ + i, j);
      is_named[static_cast<std::size_t>(k)] = true;
      sum(i, k) += gradient(i, j);
    }
    divot::index const bucket = teacher.named();
    if (bucket == gradient.cols()) return;
    for (divot::index k = 0; k < sum.cols(); ++k) {
      Wide const x = student_(i, k);
      if (is_named[static_cast<std::size_t>(k)] || x == low) continue;
      sum(i, k) +=
          gradient(i, bucket) * std::exp((x - c.student(i, bucket)) / Wide(c.student_temperature));
    }
  }

  problem const* inputs_;
  divot::index first_;
  std::vector<matrix<Wide>> teachers_;
  matrix<Wide> student_;
};

}  // namespace cli
