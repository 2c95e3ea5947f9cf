// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Values that no loss is defined for: divot::bad_value with the first bad row, its column and
// value, and the count. Bad rows keep their outputs, all other rows are complete.
#include <doctest/doctest.h>
#include <unit/calls.hpp>

#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

namespace calls {
namespace {

constexpr float inf = HUGE_VALF, nan = NAN;

std::optional<divot::bad_value> caught(auto const& call) {
  try {
    call();
  } catch (divot::bad_value const& e) {
    return e;
  } catch (std::exception const& e) {
    FAIL_CHECK("another exception: " << e.what());
  }
  return {};
}

void check(std::optional<divot::bad_value> const& e, divot::index row, divot::index column,
           double value, divot::index count, std::string const& words) {
  REQUIRE(e.has_value());
  CHECK(e->row() == row);
  CHECK(e->column() == column);
  CHECK(((std::isnan(value) && std::isnan(e->value())) || e->value() == value));
  CHECK(e->count() == count);
  CHECK(std::string(e->what()) == "divot: " + words);
}

/// Logits of which three rows are bad: NaN in the student, +inf in the teacher, nothing but −inf.
struct sample {
  sample(shape s, unsigned seed)
      : teacher(normal(s.rows, s.classes, seed)), student(normal(s.rows, s.classes, seed + 1)) {
    bad_teacher = teacher;
    bad_student = student;
    bad_student(0, s.classes - 1) = nan;
    bad_teacher(2, 1) = inf;
    bad_student.row(s.rows - 1).setConstant(-inf);
    bad = s.rows == 3 ? 2 : 3;  // of three rows, the last one is bad on both sides
  }
  bool is_bad(Eigen::Index r) const { return r == 0 || r == 2 || r == student.rows() - 1; }
  std::string report(std::string const& rest) const {
    return "student, row 0, column " + std::to_string(student.cols() - 1) + ": NaN; " +
           std::to_string(bad) + " rows are bad; " + rest;
  }
  matrix teacher, student, bad_teacher, bad_student;
  divot::index bad = 0;
};

/// NaN included.
bool same_bits(Eigen::RowVectorXf const& a, Eigen::RowVectorXf const& b) {
  return std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<std::size_t>(a.size())) == 0;
}

/// Rows that are not bad are those of `complete`, the others those of `before`, to the last bit.
void check_rows(sample const& s, matrix const& now, matrix const& complete, matrix const& before) {
  for (Eigen::Index r = 0; r < now.rows(); ++r) {
    CAPTURE(r);
    CHECK((now.row(r).array() == (s.is_bad(r) ? before : complete).row(r).array()).all());
  }
}

}  // namespace

TEST_CASE("bad rows keep their gradients and losses, the other rows are complete") {
  for (shape const size : shapes) {
    CAPTURE(size.rows);
    CAPTURE(size.classes);
    sample const s(size, 11);
    for (policy p : policies()) {
      CAPTURE(name(p));
      auto const rows = static_cast<std::size_t>(size.rows);
      matrix complete(s.student), gradient = untouched_like(s.student);
      std::vector<double> complete_losses(rows), losses(rows, untouched);
      kl(p, of(s.teacher, s.student, 2), into(complete), {.per_row = complete_losses});
      auto const e = caught(
          [&] { kl(p, of(s.bad_teacher, s.bad_student, 2), into(gradient), {.per_row = losses}); });
      check(e, 0, size.classes - 1, nan, s.bad, s.report("all other rows are complete"));
      check_rows(s, gradient, complete, untouched_like(gradient));
      for (Eigen::Index r = 0; r < size.rows; ++r) {
        auto const i = static_cast<std::size_t>(r);
        CHECK(losses[i] == (s.is_bad(r) ? untouched : complete_losses[i]));
      }
    }
  }
}

TEST_CASE("in place, a bad row keeps its logits") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    sample const s(size, 21);
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix complete = s.student, gradient = s.bad_student;
      kl(p, of(s.teacher, complete), into(complete));
      check(caught([&] { kl(p, of(s.bad_teacher, gradient), into(gradient)); }), 0,
            size.classes - 1, nan, s.bad, s.report("all other rows are complete"));
      for (Eigen::Index r = 0; r < size.rows; ++r) {
        CAPTURE(r);
        CHECK(same_bits((s.is_bad(r) ? s.bad_student : complete).row(r), gradient.row(r)));
      }
    }
  }
}

TEST_CASE("with an accumulated gradient, bad rows keep what was there") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    sample const s(size, 31);
    matrix const before = normal(size.rows, size.classes, 5);
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix complete = before, gradient = before;
      kl(p, of(s.teacher, s.student), added_to(complete, -3));
      CHECK(caught([&] { kl(p, of(s.bad_teacher, s.bad_student), added_to(gradient, -3)); }));
      check_rows(s, gradient, complete, before);
    }
  }
}

TEST_CASE("column-major, bad rows keep their gradients too") {
  constexpr Eigen::Index rows = 37, classes = 70;
  sample const s({rows, classes}, 41);
  auto const standing = [](Eigen::MatrixXf const& m) {
    return view{m.data(), m.rows(), m.cols(), 1, m.rows()};
  };
  Eigen::MatrixXf const teacher = s.teacher, student = s.student, bad_teacher = s.bad_teacher,
                        bad_student = s.bad_student;
  for (policy p : policies()) {
    CAPTURE(name(p));
    Eigen::MatrixXf complete = student,
                    gradient = Eigen::MatrixXf::Constant(rows, classes, untouched);
    auto const to = [](Eigen::MatrixXf& m) {
      return target{{m.data(), m.rows(), m.cols(), 1, m.rows()}};
    };
    kl(p, {standing(teacher), standing(student)}, to(complete));
    CHECK(caught([&] { kl(p, {standing(bad_teacher), standing(bad_student)}, to(gradient)); }));
    check_rows(s, gradient, complete, untouched_like(gradient));
  }
}

TEST_CASE("both gradients keep their bad rows, and the temperatures' derivatives are not written") {
  sample const s({6, 130}, 51);
  for (policy p : policies()) {
    CAPTURE(name(p));
    matrix to_student = s.student, to_teacher = s.student, g = untouched_like(s.student), h = g;
    divot::temperature_gradient t, untouched_t{untouched, untouched};
    kl(p, of(s.teacher, s.student), into(to_student), into(to_teacher), t);
    check(caught([&] { kl(p, of(s.bad_teacher, s.bad_student), into(g), into(h), untouched_t); }),
          0, 129, nan, 3, s.report("all other rows are complete"));
    check_rows(s, g, to_student, untouched_like(g));
    check_rows(s, h, to_teacher, untouched_like(h));
    CHECK(untouched_t.student == untouched);
    CHECK(untouched_t.teacher == untouched);
  }
}

TEST_CASE("check::first leaves everything as it was") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    sample const s(size, 61);
    matrix gradient = untouched_like(s.student);
    std::vector<double> losses(static_cast<std::size_t>(size.rows), untouched);
    for (policy p : policies()) {
      CAPTURE(name(p));
      auto const e = caught([&] {
        kl(p, of(s.bad_teacher, s.bad_student), into(gradient),
           {.per_row = losses, .check = divot::check::first});
      });
      check(e, 0, size.classes - 1, nan, s.bad, s.report("nothing was written"));
      CHECK(gradient == untouched_like(gradient));
      CHECK(losses == std::vector<double>(losses.size(), untouched));
    }
  }
}

TEST_CASE("check::first lets good rows pass") {
  sample const s({5, 7}, 71);
  for (policy p : policies()) {
    matrix gradient = s.student, same = s.student;
    kl(p, of(s.teacher, s.student), into(gradient), {.check = divot::check::first});
    kl(p, of(s.teacher, s.student), into(same));
    CHECK(gradient == same);
  }
}

TEST_CASE("every flaw of logits is named with its place") {
  for (shape const size : {shape{4, 9}, shape{4, 90}}) {
    matrix const good = normal(size.rows, size.classes, 81);
    matrix gradient(good);
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix bad = good;
      bad(1, 4) = inf;
      check(caught([&] { kl(p, of(good, bad), into(gradient)); }), 1, 4, inf, 1,
            "student, row 1, column 4: +inf; all other rows are complete");
      check(caught([&] { kl(p, of(bad, good), into(gradient)); }), 1, 4, inf, 1,
            "teacher, row 1, column 4: +inf; all other rows are complete");
      check(caught([&] { kl(p, of(good, bad)); }), 1, 4, inf, 1,
            "student, row 1, column 4: +inf; all other rows are complete");
      bad = good;
      bad.row(3).setConstant(-inf);
      check(caught([&] { kl(p, of(bad, good), into(gradient)); }), 3, -1, -inf, 1,
            "teacher, row 3: every class is -inf; all other rows are complete");
      bad(3, 2) = nan;
      check(caught([&] { kl(p, of(good, bad), into(gradient)); }), 3, 2, nan, 1,
            "student, row 3, column 2: NaN; all other rows are complete");
    }
  }
}

TEST_CASE("-inf beside finite logits is no flaw") {
  for (shape const size : {shape{3, 9}, shape{3, 90}}) {
    matrix teacher = normal(size.rows, size.classes, 91),
           student = normal(size.rows, size.classes, 92);
    matrix gradient(student);
    teacher(1, 3) = student(1, 3) = -inf;
    teacher(2, 0) = -inf;
    for (policy p : policies()) {
      float const loss = kl(p, of(teacher, student), into(gradient));
      CHECK(std::isfinite(loss));
      CHECK(gradient.allFinite());
      CHECK(gradient(1, 3) == 0);
    }
  }
}

TEST_CASE("masked rows and classes beyond the valid ones may hold anything") {
  for (shape const size : {shape{20, 9}, shape{20, 90}, calls::shared_rows}) {
    CAPTURE(size.classes);
    matrix const teacher = normal(size.rows, size.classes, 101);
    matrix const student = normal(size.rows, size.classes, 102);
    matrix odd_teacher = teacher, odd_student = student;
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(size.rows), 1);
    mask[1] = 0;
    odd_student.row(1).setConstant(nan);
    odd_teacher.row(1).setConstant(inf);
    odd_student.rightCols(2).setConstant(nan);
    odd_teacher.rightCols(2).setConstant(-inf);
    for (divot::check const when : {divot::check::each_row, divot::check::first}) {
      divot::batch const options{.mask = mask, .valid_classes = size.classes - 2, .check = when};
      for (policy p : policies()) {
        CAPTURE(name(p));
        matrix gradient = student, same = student;
        float const loss = kl(p, of(odd_teacher, odd_student), into(gradient), options);
        CHECK(loss == kl(p, of(teacher, student), into(same), options).value);
        CHECK((gradient.array() == same.array()).all());
      }
    }
  }
}

TEST_CASE("probabilities are not negative and sum to 1") {
  for (Eigen::Index const classes : {6, 80}) {
    matrix const good = matrix::Constant(4, classes, 1 / static_cast<float>(classes));
    matrix gradient(good), complete(good);
    for (policy p : policies()) {
      CAPTURE(name(p));
      auto const given = [&](matrix const& teacher, matrix const& student) {
        gradient.setConstant(untouched);
        operands const x{look(teacher), look(student), kind::probabilities};
        return caught([&] { kl(p, x, into(gradient)); });
      };
      matrix bad = good;
      bad(2, 3) = -0.25f;
      check(
          given(good, bad), 2, 3, -0.25, 1,
          "student, row 2, column 3: a negative probability (-0.25); all other rows are complete");
      CHECK((gradient.row(2).array() == untouched).all());
      CHECK((gradient.row(3).array() == 0).all());
      bad = good;
      bad(0, 0) = nan;
      check(given(bad, good), 0, 0, nan, 1,
            "teacher, row 0, column 0: NaN; all other rows are complete");
      bad = good;
      bad(1, 0) += 0.5f;
      auto const e = given(good, bad);
      REQUIRE(e.has_value());
      CHECK(e->row() == 1);
      CHECK(e->column() == -1);
      CHECK(std::abs(e->value() - 1.5) < 1e-5);
      std::string const text = e->what();
      CHECK(text.find("divot: student, row 1: the probabilities sum to 1.5") == 0);
      CHECK(text.find(" instead of 1 (off by 0.5, allowed: 1e-05)") != std::string::npos);
      bad.row(1).setZero();
      CHECK(given(bad, good).has_value());
    }
  }
}

TEST_CASE("the exponentials of log-probabilities sum to 1") {
  for (Eigen::Index const classes : {6, 80, 3000}) {
    matrix const good = matrix::Constant(4, classes, -std::log(static_cast<float>(classes)));
    matrix gradient(good);
    for (policy p : policies()) {
      CAPTURE(name(p));
      auto const given = [&](matrix const& teacher, matrix const& student) {
        gradient.setConstant(untouched);
        operands const x{look(teacher), look(student), kind::log_probabilities};
        return caught([&] { kl(p, x, into(gradient)); });
      };
      CHECK(!given(good, good).has_value());
      matrix bad = good;
      bad.row(2).array() += std::log(2.f);
      for (bool student : {true, false}) {
        auto const e = student ? given(good, bad) : given(bad, good);
        REQUIRE(e.has_value());
        CHECK(e->row() == 2);
        CHECK(e->column() == -1);
        CHECK(std::abs(e->value() - 2) < 1e-3);
        CHECK(std::string(e->what()).find("row 2: their exponentials sum to ") !=
              std::string::npos);
        CHECK((gradient.row(2).array() == untouched).all());
        CHECK((gradient.row(1).array() == 0).all());
      }
    }
  }
}

}  // namespace calls
