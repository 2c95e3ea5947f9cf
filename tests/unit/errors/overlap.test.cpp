// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Gradients may take their operand's place, element for element; any other overlap is refused.
#include <doctest/doctest.h>
#include <unit/calls.hpp>

namespace calls {
namespace {

constexpr Eigen::Index rows = 4, classes = 5;

/// One piece of memory, and blocks of it.
struct arena {
  Eigen::RowVectorXf memory = Eigen::RowVectorXf::LinSpaced(200, -1.f, 1.f);
  view block(Eigen::Index at, divot::index row_stride, divot::index col_stride = 1) const {
    return {memory.data() + at, rows, classes, row_stride, col_stride};
  }
  target to(Eigen::Index at, divot::index row_stride, divot::index col_stride = 1) {
    return {{memory.data() + at, rows, classes, row_stride, col_stride}};
  }
};

std::string outcome(arena const& a, operands const& x, target const& where) {
  std::string text;
  auto const before = a.memory;
  for (policy p : policies()) {
    std::string const now = refusal([&] { kl(p, x, where); });
    if (now != "no exception") {
      CHECK((a.memory.array() == before.array()).all());
      if (!text.empty()) CHECK(now == text);
    }
    text = now;
  }
  return text;
}

constexpr char const* with_student =
    "divot: the student's gradient and the student overlap without being the same elements; give "
    "the gradient memory of its own";
constexpr char const* with_teacher =
    "divot: the student's gradient and the teacher overlap without being the same elements; give "
    "the gradient memory of its own";

}  // namespace

TEST_CASE("the gradient may overwrite the student or the teacher") {
  arena a;
  matrix const other = normal(rows, classes, 3);
  CHECK(outcome(a, {look(other), a.block(0, classes)}, a.to(0, classes)) == "no exception");
  CHECK(outcome(a, {a.block(0, classes), look(other)}, a.to(0, classes)) == "no exception");
  CHECK(outcome(a, {look(other), a.block(0, 1, rows)}, a.to(0, 1, rows)) == "no exception");
}

TEST_CASE("a gradient that lies askew over the student or the teacher is refused") {
  arena a;
  matrix const other = normal(rows, classes, 3);
  auto const student = [&](target const& where) {
    return outcome(a, {look(other), a.block(20, classes)}, where);
  };
  CHECK(student(a.to(21, classes)) == with_student);            // one element on
  CHECK(student(a.to(20 + classes, classes)) == with_student);  // one row on
  CHECK(student(a.to(20 - 1, classes)) == with_student);
  CHECK(student(a.to(20, 1, rows)) == with_student);      // the transposed layout
  CHECK(student(a.to(20, 2 * classes)) == with_student);  // another stride
  CHECK(outcome(a, {a.block(20, classes), look(other)}, a.to(22, classes)) == with_teacher);
}

TEST_CASE("blocks side by side in one matrix do not overlap") {
  arena a;
  divot::index const wide = 3 * classes;
  auto const x = operands{a.block(0, wide), a.block(classes, wide)};
  CHECK(outcome(a, x, a.to(2 * classes, wide)) == "no exception");
  CHECK(outcome(a, x, a.to(classes, wide)) == "no exception");
  CHECK(outcome(a, x, a.to(2 * classes - 1, wide)) == with_student);
  CHECK(outcome(a, {a.block(classes, wide), a.block(0, wide)}, a.to(2 * classes - 1, wide)) ==
        with_teacher);
  // the last block's rows run into the first block's next rows
  CHECK(outcome(a, x, a.to(2 * classes + 1, wide)) != "no exception");
}

TEST_CASE("blocks above each other in a column-major matrix do not overlap") {
  arena a;
  divot::index const high = 3 * rows;
  auto const x = operands{a.block(0, 1, high), a.block(rows, 1, high)};
  CHECK(outcome(a, x, a.to(2 * rows, 1, high)) == "no exception");
  CHECK(outcome(a, x, a.to(rows, 1, high)) == "no exception");
  CHECK(outcome(a, x, a.to(2 * rows - 1, 1, high)) == with_student);
}

TEST_CASE("two gradients overlap neither each other nor the other operand") {
  arena a;
  matrix const teacher = normal(rows, classes, 1), student = normal(rows, classes, 2);
  divot::temperature_gradient t;
  for (policy p : policies()) {
    auto const with = [&](operands const& x, target const& to_student, target const& to_teacher) {
      return refusal([&] { kl(p, x, to_student, to_teacher, t); });
    };
    auto const x = of(teacher, student);
    CHECK(with(x, a.to(0, classes), a.to(0, classes)) == "divot: the two gradients overlap");
    CHECK(with(x, a.to(0, classes), a.to(19, classes)) == "divot: the two gradients overlap");
    CHECK(with(x, a.to(0, classes), a.to(20, classes)) == "no exception");
    // each over its own operand is fine, crosswise is not
    operands const both{a.block(0, classes), a.block(40, classes)};
    CHECK(with(both, a.to(40, classes), a.to(0, classes)) == "no exception");
    CHECK(with(both, a.to(0, classes), a.to(40, classes)) == with_teacher);
    CHECK(with({look(teacher), a.block(40, classes)}, a.to(80, classes), a.to(40, classes)) ==
          "divot: the teacher's gradient and the student overlap without being the same elements; "
          "give the gradient memory of its own");
  }
}

TEST_CASE("a gradient with temperature derivatives must not overwrite the teacher") {
  arena a;
  matrix const student = normal(rows, classes, 2);
  matrix to_teacher = untouched_like(student);
  divot::temperature_gradient t;
  for (policy p : policies()) {
    CHECK(refusal([&] {
            kl(p, {a.block(0, classes), look(student)}, a.to(0, classes), into(to_teacher), t);
          }) == with_teacher);
  }
  CHECK(to_teacher == untouched_like(student));
}

}  // namespace calls
