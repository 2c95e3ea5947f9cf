// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Where gradients go: in place, out of place, added; with and without a workspace.
#include "reference.hpp"

namespace calls {

TEST_CASE("in place and out of place give the same bits") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    matrix const teacher = normal(size.rows, size.classes, 1);
    matrix const student = normal(size.rows, size.classes, 2);
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix apart = untouched_like(student), over_student = student, over_teacher = teacher;
      auto const loss = kl(p, of(teacher, student, 2), into(apart));
      CHECK(kl(p, of(teacher, over_student, 2), into(over_student)).value == loss.value);
      CHECK(kl(p, of(over_teacher, student, 2), into(over_teacher)).value == loss.value);
      CHECK(same(over_student, apart));
      CHECK(same(over_teacher, apart));
      CHECK(kl(p, of(teacher, student, 2)).value == loss.value);
    }
  }
}

TEST_CASE("both gradients in place give the same bits") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    matrix const teacher = normal(size.rows, size.classes, 1);
    matrix const student = normal(size.rows, size.classes, 2);
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix g = student, h = teacher, over_student = student, over_teacher = teacher;
      divot::temperature_gradient t, u;
      kl(p, of(teacher, student), into(g), into(h), t);
      kl(p, of(over_teacher, over_student), into(over_student), into(over_teacher), u);
      CHECK(same(g, over_student));
      CHECK(same(h, over_teacher));
      CHECK(t.student == u.student);
      CHECK(t.teacher == u.teacher);
    }
  }
}

TEST_CASE("column-major, in place gives the same bits too") {
  Eigen::Index const rows = 37, classes = 70;
  Eigen::MatrixXf const teacher = normal(rows, classes, 1), student = normal(rows, classes, 2);
  auto const standing = [&](Eigen::MatrixXf const& m) {
    return view{m.data(), rows, classes, 1, rows};
  };
  auto const to = [&](Eigen::MatrixXf& m) { return target{{m.data(), rows, classes, 1, rows}}; };
  matrix const lying_teacher = teacher, lying_student = student;
  for (policy p : policies()) {
    CAPTURE(name(p));
    Eigen::MatrixXf apart = student, over = student;
    matrix lying = lying_student;
    kl(p, {standing(teacher), standing(student)}, to(apart));
    kl(p, {standing(teacher), standing(over)}, to(over));
    kl(p, of(lying_teacher, lying_student), into(lying));
    CHECK(same(apart, over));
    CHECK(same(apart, lying));
  }
}

TEST_CASE("accumulating adds scale times the gradient") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    matrix const teacher = normal(size.rows, size.classes, 1);
    matrix const student = normal(size.rows, size.classes, 2);
    matrix const before = normal(size.rows, size.classes, 3) / 100;
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix gradient = student, sum = before, onto_zero = matrix::Zero(size.rows, size.classes);
      kl(p, of(teacher, student), into(gradient));
      kl(p, of(teacher, student), added_to(sum, -3));
      kl(p, of(teacher, student), added_to(onto_zero, 1));
      check_gradient(sum, before.cast<double>() - 3 * gradient.cast<double>());
      CHECK(same(onto_zero, gradient));
    }
  }
}

TEST_CASE("a step of gradient descent may be taken on the logits themselves") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    matrix const teacher = normal(size.rows, size.classes, 1);
    matrix const student = normal(size.rows, size.classes, 2);
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix apart = student, logits = student;
      kl(p, of(teacher, student), added_to(apart, -2));
      kl(p, of(teacher, logits), added_to(logits, -2));
      CHECK(same(apart, logits));
    }
  }
}

TEST_CASE("masked rows keep what is there when gradients are accumulated") {
  matrix const teacher = normal(5, 130, 1), student = normal(5, 130, 2), before = normal(5, 130, 3);
  std::vector<std::uint8_t> const mask{1, 0, 1, 1, 0};
  for (policy p : policies()) {
    CAPTURE(name(p));
    matrix gradient = before;
    kl(p, of(teacher, student), added_to(gradient, 1), {.mask = mask});
    for (Eigen::Index r = 0; r < 5; ++r) {
      CHECK((mask[static_cast<std::size_t>(r)] == 0) == same(gradient.row(r), before.row(r)));
    }
  }
}

TEST_CASE("a gradient written with a stride leaves the gaps alone") {
  Eigen::Index const rows = 5;
  for (Eigen::Index const classes : {7, 130}) {
    matrix const teacher = normal(rows, classes, 1), student = normal(rows, classes, 2);
    matrix dense = student;
    for (policy p : policies()) {
      CAPTURE(name(p));
      kl(p, of(teacher, student), into(dense));
      matrix room = matrix::Constant(2 * rows, 3 * classes, untouched);
      // every second row, every third column
      kl(p, of(teacher, student), target{{room.data(), rows, classes, 6 * classes, 3}});
      for (Eigen::Index r = 0; r < 2 * rows; ++r) {
        for (Eigen::Index k = 0; k < 3 * classes; ++k) {
          bool const hit = r % 2 == 0 && k % 3 == 0;
          if (room(r, k) != (hit ? dense(r / 2, k / 3) : untouched)) FAIL_CHECK(r << ", " << k);
        }
      }
    }
  }
}

TEST_CASE("a workspace serves calls of every size and changes no bit") {
  divot::workspace memory;
  for (int round = 0; round < 2; ++round) {
    for (shape const size : shapes) {
      CAPTURE(size.classes);
      matrix const teacher = normal(size.rows, size.classes, 1);
      matrix const student = normal(size.rows, size.classes, 2);
      for (policy p : policies()) {
        CAPTURE(name(p));
        matrix with = student, without = student;
        result const a = kl(p, of(teacher, student), into(with), {.workspace = &memory});
        result const b = kl(p, of(teacher, student), into(without));
        CHECK(a.value == b.value);
        CHECK(same(with, without));
      }
    }
  }
}

TEST_CASE("threads change no bit") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    matrix const teacher = normal(size.rows, size.classes, 1);
    matrix const student = normal(size.rows, size.classes, 2);
    matrix expected = student;
    result const loss = kl(policy::simd, of(teacher, student), into(expected));
    for (policy p : policies()) {
      if (p == policy::seq) continue;
      CAPTURE(name(p));
      matrix gradient = student;
      CHECK(kl(p, of(teacher, student), into(gradient)).value == loss.value);
      CHECK(same(gradient, expected));
    }
  }
}

}  // namespace calls
