// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Padded vocabularies, and rows with classes and temperatures of their own.
#include "reference.hpp"

namespace calls {
namespace {

/// The first columns of a view.
view first(view const& x, divot::index classes) {
  return {x.data, x.rows, classes, x.row_stride, x.col_stride};
}

}  // namespace

TEST_CASE("teacher and student may be padded differently: only the valid classes count") {
  // as 152 064 against 151 936 columns, of which 151 643 are tokens
  for (Eigen::Index const scale : {1, 16, 300}) {
    Eigen::Index const rows = 5, classes = 30 * scale;
    CAPTURE(classes);
    matrix const teacher = normal(rows, classes + 5 * scale, 1);
    matrix const student = normal(rows, classes + 2 * scale, 2);
    operands const x = of(teacher, student);
    operands const shared{first(x.teacher, classes), first(x.student, classes)};
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix to_student = untouched_like(student), to_teacher = untouched_like(teacher);
      matrix same_student = untouched_like(student), same_teacher = untouched_like(teacher);
      divot::temperature_gradient t, same_t;
      auto const loss = kl(p, x, into(to_student), into(to_teacher), t, {.valid_classes = classes});
      target const narrow_student{{same_student.data(), rows, classes, student.cols(), 1}};
      target const narrow_teacher{{same_teacher.data(), rows, classes, teacher.cols(), 1}};
      auto const same_loss = kl(p, shared, narrow_student, narrow_teacher, same_t);
      CHECK(loss == same_loss.value);
      CHECK(same(to_student.leftCols(classes), same_student.leftCols(classes)));
      CHECK(same(to_teacher.leftCols(classes), same_teacher.leftCols(classes)));
      CHECK(t.student == same_t.student);
      // the padding's gradient is written, as 0
      CHECK((to_student.rightCols(2 * scale).array() == 0).all());
      CHECK((to_teacher.rightCols(5 * scale).array() == 0).all());
    }
  }
}

TEST_CASE("padding keeps what is there when gradients are accumulated") {
  matrix const teacher = normal(5, 90, 1), student = normal(5, 90, 2), before = normal(5, 90, 3);
  for (policy p : policies()) {
    matrix gradient = before;
    kl(p, of(teacher, student), added_to(gradient, 2), {.valid_classes = 80});
    CHECK(same(gradient.rightCols(10), before.rightCols(10)));
    CHECK(!same(gradient.leftCols(80), before.leftCols(80)));
  }
}

TEST_CASE("in place, the padding's logits become its gradient 0") {
  matrix const teacher = normal(5, 90, 1), student = normal(5, 90, 2);
  for (policy p : policies()) {
    matrix gradient = student, apart = student;
    kl(p, of(teacher, gradient), into(gradient), {.valid_classes = 80});
    kl(p, of(teacher, student), into(apart), {.valid_classes = 80});
    CHECK(same(gradient, apart));
    CHECK((gradient.rightCols(10).array() == 0).all());
  }
}

TEST_CASE("each row may have a number of classes of its own") {
  for (Eigen::Index const classes : {9, 130, 3000}) {
    CAPTURE(classes);
    Eigen::Index const rows = 6;
    matrix const teacher = normal(rows, classes + 3, 1), student = normal(rows, classes, 2);
    std::vector<divot::index> const counts{classes, 1, 2, classes / 2, classes - 1, classes / 3};
    wide_matrix expected(rows, classes);
    double total = 0;
    for (Eigen::Index r = 0; r < rows; ++r) {
      auto const row = kl_row(teacher, student, r, counts[static_cast<std::size_t>(r)]);
      expected.row(r) = row.gradient / static_cast<double>(rows);
      total += row.loss;
    }
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix gradient = untouched_like(student);
      auto const loss =
          kl(p, of(teacher, student), into(gradient), {.valid_classes_per_row = counts});
      check_loss(loss, total / static_cast<double>(rows));
      check_gradient(gradient, expected);
      for (Eigen::Index r = 0; r < rows; ++r) {
        auto const rest = classes - counts[static_cast<std::size_t>(r)];
        CHECK((gradient.row(r).rightCols(rest).array() == 0).all());
      }
      CHECK((gradient.row(1).array() == 0).all());  // a single class: nothing to learn
    }
  }
}

TEST_CASE("each row may have a temperature of its own") {
  for (Eigen::Index const classes : {9, 130}) {
    CAPTURE(classes);
    matrix const teacher = normal(4, classes, 1), student = normal(4, classes, 2);
    std::vector<double> const temperatures{1, 0.5, 4, 2.25};
    wide_matrix expected(4, classes);
    std::vector<double> per_row(4);
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix gradient = untouched_like(student);
      // the wrappers' temperature, 3 here, gives way
      kl(p, of(teacher, student, 3), into(gradient),
         {.temperatures = temperatures, .per_row = per_row});
      for (Eigen::Index r = 0; r < 4; ++r) {
        auto const i = static_cast<std::size_t>(r);
        auto const row = kl_row(teacher, student, r, classes, temperatures[i]);
        expected.row(r) = row.gradient / 4;
        check_loss(per_row[i], row.loss);
      }
      check_gradient(gradient, expected);
    }
  }
}

TEST_CASE("classes, temperatures, weights and masks of rows go together") {
  Eigen::Index const rows = 5, classes = 130;
  matrix const teacher = normal(rows, classes, 1), student = normal(rows, classes, 2);
  std::vector<divot::index> const counts{130, 64, 2, 100, 7};
  std::vector<double> const temperatures{1, 2, 3, 4, 5}, weights{1, -2, 0.5, 3, 1};
  std::vector<std::uint8_t> const mask{1, 1, 0, 1, 1};
  std::vector<double> per_row(5);
  for (policy p : policies()) {
    CAPTURE(name(p));
    matrix gradient = untouched_like(student);
    kl(p, of(teacher, student), into(gradient),
       {.weights = weights,
        .mask = mask,
        .valid_classes_per_row = counts,
        .temperatures = temperatures,
        .per_row = per_row});
    wide_matrix expected(rows, classes);
    for (Eigen::Index r = 0; r < rows; ++r) {
      auto const i = static_cast<std::size_t>(r);
      auto const row = kl_row(teacher, student, r, counts[i], temperatures[i]);
      double const factor = mask[i] == 0 ? 0 : weights[i];
      expected.row(r) = row.gradient * factor / 4;
      check_loss(per_row[i], row.loss * factor);
    }
    check_gradient(gradient, expected);
  }
}

}  // namespace calls
