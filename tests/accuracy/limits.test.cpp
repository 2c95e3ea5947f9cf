// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <accuracy/run_losses.hpp>
#include <accuracy/samples.hpp>
#include <accuracy/score.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// One row, given in double and exact in float.
template <class T>
losses::problem<T> row(std::vector<double> const& teacher, std::vector<double> const& student) {
  return {1, student.size(), {teacher.begin(), teacher.end()}, {student.begin(), student.end()}};
}

/// The row with copies of its last class, so that it fills packs and a tail.
template <class T>
losses::problem<T> longer(losses::problem<T> p, std::size_t classes, bool lower) {
  while (p.classes < classes) {
    p.teacher.push_back(p.teacher.back() - (lower ? T(0.25) : T(0)));
    p.student.push_back(p.student.back());
    ++p.classes;
  }
  return p;
}

std::vector<losses::loss> many_alpha_betas() {
  std::vector<losses::loss> list = losses::all();
  for (double alpha : {-0.5, 0., 0.3, 1., 2.}) {
    for (double beta : {0., 0.1, 0.5, 0.9}) list.push_back({losses::kind::alpha_beta, alpha, beta});
  }
  return list;
}

}  // namespace

TEST_CASE_TEMPLATE("logit gaps of 200 are within the budget, overflow is +inf and never NaN", T,
                   float, double) {
  auto report = score::report::of<T>(budget::situation::limits);
  std::vector<std::pair<std::vector<double>, std::vector<double>>> const rows{
      {{0.5, 0.25, 0.125}, {0, -120, 1}},  // the student rules out what the teacher likes
      {{0, 0.5, -200}, {0.25, 0, 1}},      // the teacher rules out
      {{0.25, 0, 1}, {0, 0.5, -200}},      // the student rules out
      {{0, 1, -200}, {0.5, 0, -200.5}},    // both
      {{0, -200, -3}, {0.5, -150, -200}},  // both sure of the same
      {{0, -200, -210}, {-200, 0, -100}},  // sure of different classes
      {{200, 0}, {0, 0}},
      {{0, 0}, {200, 0}},
      {{200, 0}, {198, 0}},
      {{2000, 1999, 0}, {-2000, -1999.5, -2000}}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto const p = row<T>(rows[i].first, rows[i].second);
    std::string const where = "case " + std::to_string(i);
    score::compare(report, many_alpha_betas(), p, where);
    score::compare(report, many_alpha_betas(), longer(p, 131, true), where + ", longer");
  }
  report.finish();
}

TEST_CASE_TEMPLATE("finite logits of any size never give NaN", T, float, double) {
  double const large = static_cast<double>(std::numeric_limits<T>::max()) / 4;
  for (double gap : {700., 1e5, 1e30, large}) {
    for (std::size_t const classes : {3u, 131u}) {
      for (auto const& p :
           {longer(row<T>({gap, gap / 2, 0}, {-gap, 0, -gap / 2}), classes, false),
            longer(row<T>({gap, gap - 1, 0}, {-gap, 1 - gap, -gap}), classes, false),
            longer(row<T>({gap, 0, 0}, {gap, 0, -1}), classes, false),
            longer(row<T>({0, 0, 1}, {gap, 0, -gap}), classes, false)}) {
        for (losses::policy policy : losses::policies) {
          for (losses::loss const& l : many_alpha_betas()) {
            auto const got = losses::run(policy, l, p, losses::wanted::student);
            std::size_t nan = std::isnan(got.value);
            for (T g : got.student) nan += std::isnan(g);
            CHECK_MESSAGE(nan == 0, losses::name(l), " ", losses::name(policy), ", gap ", gap, ", ",
                          classes, " classes: ", nan, " NaN");
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("a class that is -inf on both sides is as if it were absent", T, float, double) {
  auto report = score::report::of<T>(budget::situation::limits);
  for (std::size_t const classes : {4u, 70u}) {
    auto const p =
        longer(row<T>({1, minus_infinity, 0.5, -1}, {0.25, minus_infinity, 2, 0}), classes, true);
    score::compare(report, many_alpha_betas(), p, "both -inf");
    auto const first = longer(
        row<T>({minus_infinity, 0.5, minus_infinity, 3}, {minus_infinity, 1, minus_infinity, 2.75}),
        classes, true);
    score::compare(report, many_alpha_betas(), first, "the first -inf on both sides");
    auto lone = longer(row<T>({0.5, minus_infinity}, {3, minus_infinity}), classes, false);
    for (losses::policy policy : losses::policies) {
      for (losses::loss const& l : many_alpha_betas()) {
        if (l.what == losses::kind::soft_cross_entropy) continue;
        auto const got = losses::run(policy, l, lone, losses::wanted::student);
        CHECK_MESSAGE(got.value == 0, losses::name(l), " ", losses::name(policy));
        CHECK_MESSAGE(got.student == std::vector<T>(classes, 0), losses::name(l), " ",
                      losses::name(policy));
      }
    }
  }
  report.finish();
}

TEST_CASE_TEMPLATE("a class that is -inf on one side has the exact limit", T, float, double) {
  auto report = score::report::of<T>(budget::situation::limits);
  for (std::size_t const classes : {4u, 70u}) {
    auto const without_teacher =
        longer(row<T>({1, minus_infinity, 0.5, -1}, {0.25, 1, 2, 0}), classes, true);
    score::compare(report, many_alpha_betas(), without_teacher, "teacher -inf");
    auto const without_top =
        longer(row<T>({1, 2, minus_infinity, -1}, {0.25, 1, 2, 0}), classes, true);
    score::compare(report, many_alpha_betas(), without_top, "teacher -inf at the student's top");
    auto const without_student =
        longer(row<T>({1, 0.5, 0.5, -1}, {0.25, minus_infinity, 2, 0}), classes, true);
    score::compare(report, many_alpha_betas(), without_student, "student -inf");
    auto const crossed =
        longer(row<T>({minus_infinity, 1, 0.5, 0.25}, {0, minus_infinity, 0.25, 1}), classes, true);
    score::compare(report, many_alpha_betas(), crossed, "one -inf each");
  }
  report.finish();
}

TEST_CASE_TEMPLATE("when no row is valid the loss is 0 over 0 rows and the gradient 0", T, float,
                   double) {
  std::vector<T> const x{1, 2, 3, 4, 5, 6};
  std::vector<T> gradient(6, 7);
  std::vector<std::uint8_t> const mask{0, 0};
  divot::batch options;
  options.mask = mask;
  divot::matrix_ref<T const> const rows(x.data(), 2, 3);
  auto const result =
      divot::value_and_gradient(divot::skew_js{.teacher_weight = 0.5}, rows, rows,
                                divot::matrix_ref<T>(gradient.data(), 2, 3), options);
  CHECK(result.value == 0);
  CHECK(result.valid_rows == 0);
  CHECK(gradient == std::vector<T>(6, 0));
}

TEST_CASE_TEMPLATE("probabilities of 0 count as logits of -inf", T, float, double) {
  std::vector<T> const p{T(0.5), T(0.25), T(0.25), T(0)};
  std::vector<T> const log_p{std::log(p[0]), std::log(p[1]), std::log(p[2]), std::log(p[3])};
  std::vector<T> const s{T(0.25), 1, 2, 0};
  divot::matrix_ref<T const> const probabilities(p.data(), 1, 4), logs(log_p.data(), 1, 4),
      student(s.data(), 1, 4);
  auto const same = [&](auto const& what) {
    T const by_logits = divot::value(what, logs, student);
    CHECK(divot::value(what, divot::probabilities(probabilities), student) ==
          doctest::Approx(by_logits).epsilon(budget::law<T>));
    CHECK(divot::value(what, divot::log_probabilities(logs), student) ==
          doctest::Approx(by_logits).epsilon(budget::law<T>));
  };
  same(divot::kl{});
  same(divot::jensen_shannon{});
  same(divot::squared_hellinger{});
  same(divot::total_variation{});
  same(divot::alpha_beta{.alpha = 0.2, .beta = 0.7});
}
