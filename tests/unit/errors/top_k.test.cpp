// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What is wrong with a top-k teacher: said before anything is written, with row, column and value.
#include <doctest/doctest.h>
#include <divot/divot.hpp>
#include <unit/calls.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace calls {
namespace {

using divot::tail;
using indices = Eigen::Matrix<int, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct sample {
  matrix student = normal(4, 9, 1), gradient = untouched_like(student);
  indices k = indices{{0, 4, 8}, {1, 2, 3}, {5, 4, 0}, {7, 8, 6}};
  matrix log_p = matrix::Constant(4, 3, std::log(0.3f));
  std::vector<double> mass = std::vector<double>(4, std::log(0.1));
  divot::batch options;

  void call(tail what) {
    divot::gradient(divot::kl{}, divot::top_k(k, log_p, what), student, gradient, options);
  }
  void call_with_mass(tail what) {
    divot::gradient(divot::kl{}, divot::top_k(k, log_p, what, mass), student, gradient, options);
  }
  void untouched() const { CHECK((gradient.array() == calls::untouched).all()); }
};

/// Every tail refuses the sample with these words.
void check(sample x, divot::index row, divot::index column, std::string const& words,
           divot::index count = 1, bool with_mass = false) {
  for (tail const what : {tail::renormalise, tail::uniform, tail::bucket}) {
    CAPTURE(int(what));
    try {
      with_mass ? x.call_with_mass(what) : x.call(what);
      FAIL_CHECK("no exception");
    } catch (divot::bad_value const& e) {
      CHECK(e.row() == row);
      CHECK(e.column() == column);
      CHECK(e.count() == count);
      CHECK(std::string(e.what()) == "divot: " + words);
    }
    x.untouched();
  }
}

}  // namespace

TEST_CASE("indices out of range") {
  sample x;
  x.k(2, 1) = 9;
  x.k(3, 0) = -1;
  check(x, 2, 1,
        "teacher, row 2, column 1: the index is 9; it must lie between 0 and 8; 2 rows are bad; "
        "nothing was written",
        2);
  sample few;
  few.options.valid_classes = 8;
  few.k(3, 1) = 5;
  check(few, 0, 2,
        "teacher, row 0, column 2: the index is 8; it must lie between 0 and 7; nothing was "
        "written");
}

TEST_CASE("a class that is named twice") {
  sample x;
  x.k(1, 2) = 1;
  check(x, 1, 2,
        "teacher, row 1, column 2: the index 1 stands there a second time; nothing was written");
}

TEST_CASE("log-probabilities that are none") {
  sample x;
  x.log_p(2, 0) = NAN;
  check(x, 2, 0, "teacher, row 2, column 0: NaN; nothing was written");
  x.log_p(2, 0) = HUGE_VALF;
  check(x, 2, 0, "teacher, row 2, column 0: +inf; nothing was written");
  x.log_p(2, 0) = 0.5f;
  check(x, 2, 0,
        "teacher, row 2, column 0: the log-probability is 0.5; it must not be positive; nothing "
        "was written");
  sample more;
  more.log_p.row(1).setZero();
  check(more, 1, -1,
        "teacher, row 1: the probabilities sum to 3, which is more than 1 (off by 2, allowed: "
        "1e-05); nothing was written");
}

TEST_CASE("a tail mass that does not fit") {
  sample x;
  x.mass[3] = 1;
  check(x, 3, -1,
        "teacher, row 3: the log tail mass is 1; it must not be positive; nothing was written", 1,
        true);
  x.mass[3] = NAN;
  check(x, 3, -1,
        "teacher, row 3: the log tail mass is nan; it must not be positive; nothing was written", 1,
        true);
  x.mass[3] = 0;
  try {
    x.call_with_mass(tail::bucket);
    FAIL_CHECK("no exception");
  } catch (divot::bad_value const& e) {
    CHECK(e.value() == doctest::Approx(1.9));
    std::string const text = e.what();
    CHECK(text.find("divot: teacher, row 3: probabilities and tail mass sum to 1.8") == 0);
    CHECK(text.find(" instead of 1 (off by 0.9, allowed: 1e-05)") != std::string::npos);
  }
  x.untouched();
}

TEST_CASE("nothing named, or everything but not all of the mass") {
  sample x;
  x.log_p.row(1).setConstant(-HUGE_VALF);
  CHECK(refusal<divot::bad_value>([&] { x.call(tail::renormalise); }) ==
        "divot: teacher, row 1: every class is -inf; nothing was written");
  x.untouched();
  CHECK(refusal([&] { x.call(tail::uniform); }) == "no exception");
  sample all;
  all.options.valid_classes = 3;
  for (Eigen::Index r = 0; r < 4; ++r) all.k.row(r) << 2, 0, 1;
  auto const text = refusal<divot::bad_value>([&] { all.call(tail::bucket); });
  CHECK(text.find(
            "divot: teacher, row 0: every class is named, but the probabilities sum to 0.8") == 0);
  CHECK(refusal([&] { all.call(tail::renormalise); }) == "no exception");
}

TEST_CASE("a bucket with all of the mass is no flaw, and not blamed for the student's") {
  for (auto const when : {divot::check::each_row, divot::check::first}) {
    sample x;
    x.log_p.row(1).setConstant(-HUGE_VALF);
    x.mass[1] = 0;
    x.options.check = when;
    for (tail const what : {tail::uniform, tail::bucket}) {
      CAPTURE(int(what));
      CHECK(refusal([&] { x.call_with_mass(what); }) == "no exception");
    }
    x.student(1, 5) = NAN;
    CHECK(refusal<divot::bad_value>([&] {
            x.call_with_mass(tail::bucket);
          }).find("divot: student, row 1, column 5: NaN") == 0);
  }
}

TEST_CASE("masked rows are not looked at") {
  sample x;
  x.k(2, 1) = 900;
  x.log_p(2, 2) = NAN;
  std::vector<std::uint8_t> const mask{1, 1, 0, 1};
  x.options.mask = mask;
  for (tail const what : {tail::renormalise, tail::uniform, tail::bucket}) {
    CHECK(refusal([&] { x.call(what); }) == "no exception");
    CHECK((x.gradient.row(2).array() == 0).all());
  }
}

TEST_CASE("bad students are reported as with any teacher") {
  for (Eigen::Index const column : {1, 2}) {  // named and in the tail
    CAPTURE(column);
    for (tail const what : {tail::renormalise, tail::uniform, tail::bucket}) {
      CAPTURE(int(what));
      sample x, good;
      good.call(what);
      x.student(1, column) = NAN;
      CHECK(refusal<divot::bad_value>([&] { x.call(what); }) ==
            "divot: student, row 1, column " + std::to_string(column) +
                ": NaN; all other rows are complete");
      CHECK((x.gradient.row(1).array() == calls::untouched).all());
      CHECK((x.gradient.row(2).array() == good.gradient.row(2).array()).all());
      x.gradient = untouched_like(x.student);
      x.options.check = divot::check::first;
      CHECK(refusal<divot::bad_value>([&] { x.call(what); }) == "divot: student, row 1, column " +
                                                                    std::to_string(column) +
                                                                    ": NaN; nothing was written");
      x.untouched();
      x.student.row(1).setConstant(-HUGE_VALF);
      CHECK(refusal<divot::bad_value>([&] { x.call(what); }) ==
            "divot: student, row 1: every class is -inf; nothing was written");
    }
  }
}

TEST_CASE("shapes, temperatures and memory") {
  sample x;
  auto const says = [&](auto const& call, std::string const& words) {
    CHECK(refusal(call) == "divot: " + words);
    x.untouched();
  };
  auto const run = [&](auto const& what, auto const& teacher, divot::batch const& options = {}) {
    return [&, options] { divot::gradient(what, teacher, x.student, x.gradient, options); };
  };
  says(run(divot::kl{}, divot::top_k(x.k, x.log_p.leftCols(2), tail::bucket)),
       "top_k: the indices are 4×3, the log-probabilities 4×2; they must have the same shape");
  says(run(divot::kl{}, divot::top_k(x.k.topRows(2), x.log_p.topRows(2), tail::bucket)),
       "the teacher has 2 rows, the student 4");
  says(run(divot::kl{}, divot::top_k(x.k, x.log_p, tail::bucket, std::vector<double>(3))),
       "top_k: there are 3 log tail masses for the student's 4 rows");
  std::string const why =
      "a top-k teacher cannot be re-tempered, its other classes are not there: pass "
      "log-probabilities taken at that temperature, and logits(student, T)";
  says(run(divot::at(2, divot::kl{}), divot::top_k(x.k, x.log_p, tail::bucket)),
       "at(T, …): " + why);
  says(run(divot::kl{} + divot::at(4, divot::reverse_kl{}),
           divot::top_k(x.k, x.log_p, tail::uniform)),
       "at(T, …): " + why);
  std::vector<double> const temperatures(4, 2.);
  divot::batch options;
  options.temperatures = temperatures;
  says(run(divot::kl{}, divot::top_k(x.k, x.log_p, tail::renormalise), options),
       "batch::temperatures: " + why);
  says(run(divot::kl{}, divot::top_k(x.k, x.gradient.leftCols(3), tail::bucket)),
       "the student's gradient and the teacher overlap; give the gradient memory of its own");
}

}  // namespace calls
