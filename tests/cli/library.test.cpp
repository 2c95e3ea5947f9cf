// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// What the program puts together at run time is what the library does when it is put together in
// C++: near convergence, and where losses are infinite, too.
#include "formulas.hpp"
#include "program.hpp"

#include <divot/divot.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace cli_test {
namespace {

constexpr std::size_t rows = 4, classes = 9;
using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

matrix to_matrix(numbers const& x) {
  return Eigen::Map<matrix const>(x.data(), rows, static_cast<Eigen::Index>(x.size() / rows));
}
void write(place const& here, std::string const& name, matrix const& x) {
  here.write<double>(name, "<f8", {rows, static_cast<std::size_t>(x.cols())},
                     numbers(x.data(), x.data() + x.size()));
}

/// The program's loss and gradient beside the library's, relative to the largest entry.
template <class Loss, class Teacher, class Student>
void check_same(place const& here, std::string const& spec, std::vector<std::string> more,
                Loss const& loss, Teacher const& teacher, Student const& student,
                double tolerance = 1e-13) {
  CAPTURE(spec);
  matrix expected(rows, classes);
  double const value = divot::value_and_gradient(loss, teacher, student, expected);
  more.insert(more.end(), {"--gradient-out", "G.npy"});
  std::vector<std::string> arguments{"eval", "--loss", spec, "--student", "s.npy", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  result const r = run(here, arguments);
  REQUIRE_MESSAGE(r.status == 0, r.errors);
  auto const found = r.parsed()["loss"];
  if (std::isinf(value)) {
    CHECK(found == "inf");
  } else {
    CHECK(found.get<double>() == doctest::Approx(value).epsilon(tolerance));
  }
  numbers const g = here.read("G.npy").values;
  double largest = 0;
  for (double const x : g) largest = std::isinf(x) ? largest : std::max(largest, std::abs(x));
  for (std::size_t k = 0; k < g.size(); ++k) {
    CAPTURE(k);
    double const x = expected.data()[k];
    if (std::isinf(x)) {
      CHECK(g[k] == x);
    } else {
      CHECK(std::abs(g[k] - x) <= tolerance * largest);
    }
  }
}

}  // namespace

TEST_CASE("what is put together at run time has the library's numbers") {
  matrix const t = to_matrix(logits(rows * classes, 21)), u = to_matrix(logits(rows * classes, 22));
  matrix far = to_matrix(logits(rows * classes, 23));
  matrix const near = t + 1e-5 * far;
  double const low = -std::numeric_limits<double>::infinity();
  matrix missing = far;
  missing(1, 3) = low;
  matrix others = t;
  others(2, 4) = low;
  using divot::kl, divot::pearson, divot::power, divot::reverse, divot::skew;
  for (matrix const& s : {far, near, missing}) {
    place const here;
    for (matrix const& p : {t, others}) {
      CAPTURE(s(1, 3));
      CAPTURE(p(2, 4));
      write(here, "s.npy", s);
      write(here, "t.npy", p);
      auto const same = [&](std::string const& spec, auto const& loss) {
        check_same(here, spec, {"--teacher", "t.npy"}, loss, p, s);
      };
      same("skew(kl,0.3)", skew(kl{}, .3));
      same("reverse(skew(pearson,0.1))", reverse(skew(pearson{}, .1)));
      same("skew(reverse(kl),0.3)", skew(divot::reverse_kl{}, .3));
      same("power(kl,0.5)", power(kl{}, .5));
      same("power(kl,2)", power(kl{}, 2));
      auto const softcap = [](auto const& x) { return divot::logits(x, 2).softcap(3); };
      check_same(here, "kl",
                 {"--teacher", "t.npy", "--temperature", "2", "--student-transforms",
                  "softcap=3,standardise", "--teacher-transforms", "softcap=3,standardise"},
                 kl{}, softcap(p).standardise(), softcap(s).standardise(), 1e-9);
    }
  }
  place const here;
  write(here, "s.npy", near);
  write(here, "t.npy", t);
  write(here, "u.npy", u);
  check_same(here, "kl", {"--teacher", "t.npy", "u.npy", "--teacher-weights", "0.25,0.75"}, kl{},
             divot::mixture(t, u, std::array{.25, .75}), near);
  Eigen::Matrix<int, rows, 2> classes_of;
  classes_of << 0, 4, 8, 1, 3, 2, 5, 7;
  matrix const log_p = matrix::Constant(rows, 2, std::log(.3));
  here.write<std::int64_t>("i.npy", "<i8", {rows, 2}, {0, 4, 8, 1, 3, 2, 5, 7});
  write(here, "p.npy", log_p);
  for (auto const& [name, tail] :
       {std::pair("renormalise", divot::tail::renormalise),
        std::pair("uniform", divot::tail::uniform), std::pair("bucket", divot::tail::bucket)}) {
    check_same(here, "kl",
               {"--teacher-top-k", "i.npy", "p.npy", "--tail", name, "--temperature", "3"}, kl{},
               divot::top_k(classes_of, log_p, tail), divot::logits(near, 3));
  }
}

TEST_CASE("diagnostics are the library's, of mixtures, sparse teachers and transforms, too") {
  matrix const s = to_matrix(logits(rows * classes, 31)), t = to_matrix(logits(rows * classes, 32));
  matrix const u = to_matrix(logits(rows * classes, 33));
  place const here;
  write(here, "s.npy", s);
  write(here, "t.npy", t);
  write(here, "u.npy", u);
  here.write<std::int64_t>("y.npy", "<i8", {rows}, {0, 8, 2, 1});
  here.write<std::uint8_t>("m.npy", "|u1", {rows}, {1, 0, 1, 1});
  std::vector<std::int64_t> const y{0, 8, 2, 1};
  std::vector<std::uint8_t> const mask{1, 0, 1, 1};
  auto const same = [&](std::vector<std::string> more, auto const& teacher, auto const& student) {
    divot::diagnostics<> asked;
    asked.head = 3;
    auto const expected =
        divot::diagnose(divot::simd, teacher, student, asked, {.mask = mask, .labels = y});
    std::vector<std::string> arguments{"eval",     "--loss", "kl",           "--student", "s.npy",
                                       "--labels", "y.npy",  "--mask",       "m.npy",     "--head",
                                       "3",        "--json", "--diagnostics"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    result const r = run(here, arguments);
    REQUIRE_MESSAGE(r.status == 0, r.errors);
    auto const found = r.parsed()["diagnostics"];
    CHECK(found.size() == 10);
    auto const check = [&](char const* name, double value) {
      CAPTURE(name);
      CHECK(found[name].get<double>() == doctest::Approx(value).epsilon(1e-13));
    };
    check("teacher_entropy", expected.teacher_entropy);
    check("student_entropy", expected.student_entropy);
    check("cross_entropy", expected.cross_entropy);
    check("agreement", expected.agreement);
    check("teacher_on_label", expected.teacher_on_label);
    check("student_on_label", expected.student_on_label);
    check("teacher_head", expected.teacher_head);
    check("teacher_tail", expected.teacher_tail);
    check("student_head", expected.student_head);
    check("student_tail", expected.student_tail);
  };
  same({"--teacher", "t.npy"}, t, s);
  same({"--teacher", "t.npy", "--temperature", "2", "--student-transforms", "softcap=3"},
       divot::logits(t, 2), divot::logits(s, 2).softcap(3));
  same({"--teacher", "t.npy", "u.npy"}, divot::mixture(t, u, std::array{.5, .5}), s);
  Eigen::Matrix<int, rows, 2> classes_of;
  classes_of << 0, 4, 8, 1, 3, 2, 5, 7;
  matrix const log_p = matrix::Constant(rows, 2, std::log(.3));
  here.write<std::int64_t>("i.npy", "<i8", {rows, 2}, {0, 4, 8, 1, 3, 2, 5, 7});
  write(here, "p.npy", log_p);
  same({"--teacher-top-k", "i.npy", "p.npy", "--tail", "uniform"},
       divot::top_k(classes_of, log_p, divot::tail::uniform), s);

  auto const text = run(here, {"eval", "--loss", "kl", "--student", "s.npy", "--teacher", "t.npy",
                               "--diagnostics"})
                        .output;
  CHECK(text.find("\nstudent entropy  ") != std::string::npos);
  CHECK(text.find("student head") == std::string::npos);
  CHECK(text.find("label") == std::string::npos);
}

TEST_CASE("diagnostics say what they lack") {
  place const here;
  write(here, "s.npy", to_matrix(logits(rows * classes, 31)));
  write(here, "t.npy", to_matrix(logits(rows * classes, 32)));
  here.write<std::int64_t>("i.npy", "<i8", {rows, 1}, {0, 4, 8, 1});
  write(here, "p.npy", matrix::Constant(rows, 1, std::log(.3)));
  auto const flaw = [&](std::vector<std::string> more, std::string const& words) {
    std::vector<std::string> arguments{"eval", "--student", "s.npy"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    result const r = run(here, arguments);
    CHECK(r.status == 2);
    CHECK(r.errors.find(words) != std::string::npos);
  };
  flaw({"--loss", "kl", "--teacher", "t.npy", "--diagnostics", "--head", "-1"}, "--head: -1");
  flaw({"--loss", "kl", "--teacher", "t.npy", "--head", "2"}, "--diagnostics");
  flaw({"--loss", "kl", "--teacher-top-k", "i.npy", "p.npy", "--tail", "bucket", "--diagnostics"},
       "--tail bucket says nothing of its classes");
}

}  // namespace cli_test
