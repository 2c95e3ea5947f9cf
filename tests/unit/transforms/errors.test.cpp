// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What is wrong with a transform or a mixture is said before anything is written, and bad values
// are named as the caller passed them.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <unit/calls.hpp>

#include <array>
#include <limits>
#include <vector>

namespace {

using calls::matrix;
using calls::normal;
using calls::refusal;
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float unbounded = std::numeric_limits<float>::infinity();
constexpr double wide_nan = not_a_number, wide_inf = unbounded;

matrix const t = normal(3, 5, 1), s = normal(3, 5, 2);

/// What a call says; the gradient is as it was.
template <class Teacher, class Student>
std::string said(Teacher const& teacher, Student const& student, divot::batch const& options = {}) {
  matrix g = calls::untouched_like(s);
  std::string const text =
      refusal([&] { divot::gradient(divot::kl{}, teacher, student, g, options); });
  CHECK((g.array() == calls::untouched).all());
  return text;
}

template <class F>
std::string bad_value(F const& call) {
  return refusal<divot::bad_value>(call);
}

}  // namespace

TEST_CASE("a cap must be positive and finite") {
  CHECK(said(t, divot::logits(s).softcap(0)) ==
        "divot: the student: softcap's cap is 0; it must be positive and finite");
  CHECK(said(divot::logits(t).softcap(-3), s) ==
        "divot: the teacher: softcap's cap is -3; it must be positive and finite");
  CHECK(said(t, divot::logits(s).softcap(wide_nan)).find("softcap's cap is") != std::string::npos);
  CHECK(said(t, divot::logits(s).softcap(wide_inf)).find("cap is inf") != std::string::npos);
  CHECK(said(t, divot::logits(s).softcap(1e-310)).find("positive and finite") != std::string::npos);
}

TEST_CASE("a bias has a finite number for each column") {
  std::vector<float> const b(4, 0.f);
  CHECK(said(t, divot::logits(s).bias(b)) ==
        "divot: the student: the bias has 4 entries for 5 columns");
  CHECK(said(t, divot::logits(s).bias(std::array{0., 0., wide_inf, 0., 0.})) ==
        "divot: the student: the bias of class 2 is inf; it must be finite (a mask leaves classes "
        "out)");
}

TEST_CASE("a mask has an entry for each column, or the logits' shape") {
  std::vector<bool> const keep(6, true);
  CHECK(said(divot::logits(t).mask(keep), s) ==
        "divot: the teacher: the mask has 6 entries for 5 columns");
  Eigen::MatrixXi const matrix_keep = Eigen::MatrixXi::Ones(2, 5);
  CHECK(said(t, divot::logits(s).mask(matrix_keep)) ==
        "divot: the student: the mask is 2×5, the logits 3×5; it must have an entry a class, or "
        "their shape");
}

TEST_CASE("a mask leaves a class to every row") {
  CHECK(said(t, divot::logits(s).mask(std::vector<int>(5, 0))) ==
        "divot: the student: the mask leaves no class of row 0");
  Eigen::MatrixXi keep = Eigen::MatrixXi::Ones(3, 5);
  keep.row(1).setZero();
  CHECK(said(t, divot::logits(s).mask(keep)) ==
        "divot: the student: the mask leaves no class of row 1");
  // a row that is left out itself may have none
  std::vector<std::uint8_t> const rows{1, 0, 1};
  matrix g(3, 5);
  divot::batch options;
  options.mask = rows;
  CHECK_NOTHROW(divot::gradient(divot::kl{}, t, divot::logits(s).mask(keep), g, options));
  // only the valid classes count
  std::vector<int> const last{0, 0, 0, 0, 1};
  options = {};
  options.valid_classes = 4;
  CHECK(said(t, divot::logits(s).mask(last), options) ==
        "divot: the student: the mask leaves no class of row 0");
  std::vector<divot::index> const classes{5, 5, 3};
  options = {};
  options.valid_classes_per_row = classes;
  CHECK(said(t, divot::logits(s).mask(last), options) ==
        "divot: the student: the mask leaves no class of row 2");
}

TEST_CASE("bad values behind transforms are those that were passed") {
  std::vector<int> const keep{1, 1, 1, 0, 1};
  for (bool const first : {false, true}) {
    for (float const value : {not_a_number, unbounded}) {
      matrix bad = s;
      bad(1, 3) = value;  // under the mask, and where a cap would hide it
      matrix g = calls::untouched_like(s);
      divot::batch options;
      options.check = first ? divot::check::first : divot::check::each_row;
      std::string const text = bad_value([&] {
        divot::gradient(divot::kl{}, t, divot::logits(bad).softcap(2).mask(keep).standardise(), g,
                        options);
      });
      CHECK(text == std::string("divot: student, row 1, column 3: ") +
                        (value == unbounded ? "+inf" : "NaN") +
                        (first ? "; nothing was written" : "; all other rows are complete"));
      CHECK((g.row(1).array() == calls::untouched).all());
      CHECK((g.row(0).array() == calls::untouched).all() == first);
    }
  }
  // in place the bad row is still what it was
  matrix own = s;
  own(2, 0) = unbounded;
  CHECK(bad_value([&] { divot::gradient(divot::kl{}, t, divot::logits(own).softcap(2), own); }) ==
        "divot: student, row 2, column 0: +inf; all other rows are complete");
  CHECK(own.row(2).rightCols(4) == s.row(2).rightCols(4));
  CHECK(own(2, 0) == unbounded);
}

TEST_CASE("a row can turn bad where it is transformed") {
  matrix row = s;
  row.row(1).setConstant(-unbounded);
  row(1, 3) = 1;
  CHECK(
      bad_value([&] {
        divot::value(divot::kl{}, t, divot::logits(row).mask(std::vector<int>{1, 1, 1, 0, 1}));
      }) ==
      "divot: student, row 1: every class is -inf once the logits are transformed; all other rows "
      "are complete");
  Eigen::MatrixXd const large = Eigen::MatrixXd::Constant(1, 2, 1.5e308);
  CHECK(bad_value([&] {
          divot::value(divot::kl{}, divot::logits(large).bias(std::array{0., 1e308}), large);
        }) ==
        "divot: teacher, row 0, column 1: +inf once the logits are transformed; all other rows are "
        "complete");
}

TEST_CASE("a mixture's weights are as many as its teachers, not negative, and sum to 1") {
  CHECK(refusal([] { divot::mixture(t, s, std::array{1.}); }) ==
        "divot: mixture: there are 1 weights for 2 teachers");
  CHECK(refusal([] {
          divot::mixture(t, s, std::vector{1.5, -.5});
        }) == "divot: mixture: weight 1 is -0.5; it must be 0 or positive");
  CHECK(refusal([] {
          divot::mixture(t, s, std::array{.5, .25});
        }) == "divot: mixture: the weights sum to 0.75; they must sum to 1");
  CHECK(refusal([] {
          divot::mixture(t, s, std::array{wide_nan, .25});
        }).find("weight 0 is") != std::string::npos);
  CHECK_NOTHROW(divot::mixture(t, s, t, Eigen::Vector3d(.1, .2, .7)));
}

TEST_CASE("a mixture's teachers have one shape, temperatures and parameters of their own") {
  matrix const narrow = s.leftCols(4);
  auto const half = std::array{.5, .5};
  CHECK(said(divot::mixture(t, narrow, half), s) ==
        "divot: teacher 1 of the mixture is 3×4, teacher 0 3×5; they must have the same shape");
  CHECK(said(divot::mixture(t, divot::logits(t, 0), half), s) ==
        "divot: teacher 1 of the mixture: the temperature is 0; it must be positive and finite");
  CHECK(said(divot::mixture(divot::logits(t).softcap(0), t, half), s) ==
        "divot: teacher 0 of the mixture: softcap's cap is 0; it must be positive and finite");
  divot::matrix_ref<float const> const none(nullptr, 3, 5);
  CHECK(said(divot::mixture(t, none, half), s) ==
        "divot: teacher 1 of the mixture: the data pointer is null");
  matrix g = calls::untouched_like(s);
  CHECK(refusal([&] {
          divot::gradient(divot::at(2, divot::kl{}), divot::mixture(t, t, half), s, g);
        }) ==
        "divot: at(T, …): the temperatures of a mixture are its teachers' own: "
        "mixture(logits(t1, T), logits(t2, T), weights) and logits(student, T)");
}

TEST_CASE("a mixture names the teacher whose row is bad") {
  auto const half = std::array{.5, .5};
  for (bool const first : {false, true}) {
    divot::batch options;
    options.check = first ? divot::check::first : divot::check::each_row;
    std::string const rest = first ? "; nothing was written" : "; all other rows are complete";
    matrix bad = s, g(3, 5);
    bad(2, 1) = not_a_number;
    CHECK(bad_value([&] {
            divot::gradient(divot::kl{}, divot::mixture(t, bad, half), s, g, options);
          }) == "divot: teacher, row 2, column 1: NaN in teacher 1 of the mixture" + rest);
    // weight 0 hides nothing, and neither does a mask
    CHECK(bad_value([&] {
            divot::gradient(divot::kl{},
                            divot::mixture(t, divot::logits(bad).mask(std::array{1, 0, 1, 1, 1}),
                                           std::array{1., 0.}),
                            s, g, options);
          }) == "divot: teacher, row 2, column 1: NaN in teacher 1 of the mixture" + rest);
    bad.row(2).setConstant(-unbounded);
    CHECK(bad_value([&] {
            divot::gradient(divot::kl{}, divot::mixture(bad, t, half), s, g, options);
          }) == "divot: teacher, row 2: every class is -inf in teacher 0 of the mixture" + rest);
  }
}

TEST_CASE("a gradient may take a teacher's place in a mixture, but not half of it") {
  auto const half = std::array{.5, .5};
  matrix own = t, g(3, 5);
  divot::gradient(divot::kl{}, divot::mixture(s, own, half), s, own);
  divot::gradient(divot::kl{}, divot::mixture(s, t, half), s, g);
  CHECK(own == g);
  matrix wide = normal(4, 5, 3);
  CHECK(refusal([&] {
          divot::gradient(divot::kl{}, divot::mixture(t, wide.topRows(3), half), s,
                          wide.bottomRows(3));
        }).find("the student's gradient and the teacher overlap") != std::string::npos);
}
