// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Shapes and memory that do not fit: divot::error, and nothing written.
#include <doctest/doctest.h>
#include <unit/calls.hpp>

#include <vector>

namespace calls {
namespace {

constexpr Eigen::Index rows = 4, classes = 6;

/// The gradient call is refused with these words, and has written neither gradient nor row losses.
void check_refused(operands const& x, target where, divot::batch options,
                   std::string const& words) {
  std::vector<double> per_row(rows, untouched);
  if (options.per_row.empty()) options.per_row = per_row;
  for (policy p : policies()) {
    CAPTURE(name(p));
    CHECK(refusal([&] { kl(p, x, where, options); }) == "divot: " + words);
  }
  for (double loss : per_row) CHECK(loss == untouched);
}

}  // namespace

TEST_CASE("teacher and student have the same number of rows") {
  matrix const teacher = normal(rows + 1, classes, 1), student = normal(rows, classes, 2);
  matrix gradient = untouched_like(student);
  check_refused(of(teacher, student), into(gradient), {}, "the teacher has 5 rows, the student 4");
  CHECK(gradient == untouched_like(student));
}

TEST_CASE("teacher and student differ in columns only where valid_classes says what they share") {
  matrix const teacher = normal(rows, classes + 2, 1), student = normal(rows, classes, 2);
  matrix gradient = untouched_like(student);
  check_refused(of(teacher, student), into(gradient), {},
                "the teacher has 8 columns, the student 6; give the number of classes both share "
                "as batch::valid_classes");
  CHECK(gradient == untouched_like(student));
  for (policy p : policies()) CHECK_NOTHROW(kl(p, of(teacher, student), {.valid_classes = 6}));
}

TEST_CASE("the gradient has the student's shape") {
  matrix const teacher = normal(rows, classes, 1), student = normal(rows, classes, 2);
  matrix gradient(rows, classes - 1);
  gradient.setConstant(untouched);
  check_refused(of(teacher, student), into(gradient), {},
                "the student's gradient is 4×5, the student 4×6; they must have the same shape");
  CHECK(gradient == untouched_like(gradient));
  gradient = matrix::Constant(rows + 1, classes, untouched);
  check_refused(of(teacher, student), into(gradient), {},
                "the student's gradient is 5×6, the student 4×6; they must have the same shape");
  CHECK(gradient == untouched_like(gradient));
}

TEST_CASE(
    "the teacher's gradient has the teacher's shape, and is checked before anything is written") {
  matrix const teacher = normal(rows, classes, 1), student = normal(rows, classes, 2);
  matrix to_student = untouched_like(student), to_teacher = normal(rows, 2, 3);
  for (policy p : policies()) {
    divot::temperature_gradient t{untouched, untouched};
    CHECK(refusal([&] { kl(p, of(teacher, student), into(to_student), into(to_teacher), t); }) ==
          "divot: the teacher's gradient is 4×2, the teacher 4×6; they must have the same shape");
    CHECK(t.student == untouched);
  }
  CHECK(to_student == untouched_like(student));
}

TEST_CASE("rows without classes have no loss") {
  matrix const nothing(rows, 0);
  matrix gradient(rows, 0);
  check_refused(of(nothing, nothing), into(gradient), {}, "there are 4 rows and no classes");
}

TEST_CASE("a null pointer is refused by name") {
  matrix const good = normal(rows, classes, 1);
  matrix gradient = untouched_like(good);
  view const null{nullptr, rows, classes};
  check_refused({look(good), null}, into(gradient), {}, "the student: the data pointer is null");
  check_refused({null, look(good)}, into(gradient), {}, "the teacher: the data pointer is null");
  CHECK(gradient == untouched_like(good));
  check_refused(of(good, good), target{{nullptr, rows, classes}}, {},
                "the student's gradient: the data pointer is null");
}

TEST_CASE("a view of negative size is refused") {
  matrix const good = normal(rows, classes, 1);
  matrix gradient = untouched_like(good);
  check_refused({look(good), view{good.data(), rows, -classes}}, into(gradient), {},
                "the student is 4×-6: negative size");
  CHECK(gradient == untouched_like(good));
}

TEST_CASE("every span of the batch has an entry a row") {
  matrix const teacher = normal(rows, classes, 1), student = normal(rows, classes, 2);
  matrix gradient = untouched_like(student);
  std::vector<double> three(3, 1);
  std::vector<double> five(5, untouched);
  std::vector<std::uint8_t> const flags(3, 1);
  std::vector<std::int64_t> const labels(5, 0);
  std::vector<divot::index> const counts(3, 2);
  auto const x = of(teacher, student);
  auto const where = into(gradient);
  check_refused(x, where, {.weights = three}, "batch::weights has 3 entries for 4 rows");
  check_refused(x, where, {.upstream = three}, "batch::upstream has 3 entries for 4 rows");
  check_refused(x, where, {.mask = flags}, "batch::mask has 3 entries for 4 rows");
  check_refused(x, where, {.labels = labels}, "batch::labels has 5 entries for 4 rows");
  check_refused(x, where, {.valid_classes_per_row = counts},
                "batch::valid_classes_per_row has 3 entries for 4 rows");
  check_refused(x, where, {.temperatures = three}, "batch::temperatures has 3 entries for 4 rows");
  check_refused(x, where, {.per_row = five}, "batch::per_row has 5 entries for 4 rows");
  CHECK(gradient == untouched_like(student));
  CHECK(five == std::vector<double>(5, untouched));
}

TEST_CASE("a label per row of the student") {
  matrix const student = normal(rows, classes, 2);
  matrix gradient = untouched_like(student);
  std::vector<std::int64_t> const y{0, 1, 2};
  for (policy p : policies()) {
    CHECK(refusal([&] { cross_entropy(p, y, 0, look(student), into(gradient)); }) ==
          "divot: there are 3 labels for the student's 4 rows");
  }
  CHECK(gradient == untouched_like(student));
}

}  // namespace calls
