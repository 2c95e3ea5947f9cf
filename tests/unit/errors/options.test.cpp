// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Options that make no sense: divot::error, and nothing written.
#include <divot/divergence.hpp>

#include <doctest/doctest.h>
#include <unit/calls.hpp>

#include <cmath>
#include <vector>

namespace calls {
namespace {

constexpr double inf = HUGE_VAL, nan = NAN;
constexpr Eigen::Index rows = 3, classes = 4;

struct sample {
  matrix teacher = normal(rows, classes, 1), student = normal(rows, classes, 2);
  matrix gradient = untouched_like(student);
  operands x = of(teacher, student);

  ~sample() { CHECK(gradient == untouched_like(student)); }

  void refuses(divot::batch const& options, std::string const& words) {
    refuses(x, options, words);
  }
  void refuses(operands const& given, divot::batch const& options, std::string const& words) {
    for (policy p : policies()) {
      CAPTURE(name(p));
      CHECK(refusal([&] { kl(p, given, into(gradient), options); }) == "divot: " + words);
    }
  }
};

/// What a loss says that is made in this file; parameters are looked at before anything else.
template <class L>
std::string made(L const& what) {
  matrix const x = normal(rows, classes, 1);
  return refusal([&] { divot::value(divot::seq, what, x, x); });
}

}  // namespace

TEST_CASE("a temperature is positive and finite") {
  sample s;
  auto const at = [&](double teacher, double student) {
    operands x = s.x;
    x.teacher_temperature = teacher;
    x.student_temperature = student;
    return x;
  };
  s.refuses(at(1, 0), {}, "the student: the temperature is 0; it must be positive and finite");
  s.refuses(at(1, -2), {}, "the student: the temperature is -2; it must be positive and finite");
  s.refuses(at(1, nan), {}, "the student: the temperature is nan; it must be positive and finite");
  s.refuses(at(inf, 1), {}, "the teacher: the temperature is inf; it must be positive and finite");
  s.refuses(at(0, 1), {}, "the teacher: the temperature is 0; it must be positive and finite");
  std::vector<double> const each{1, 2, 0};
  s.refuses({.temperatures = each}, "batch::temperatures[2] is 0; it must be positive and finite");
}

TEST_CASE("the temperature of a term is positive and finite") {
  for (double t : {0., -1., inf, nan}) {
    CHECK(made(divot::at(t, divot::kl{})).find("divot: at(T, …): the temperature is") == 0);
  }
}

#if DIVOT_HAS_OPENMP
TEST_CASE("a number of threads is not negative") {
  sample s;
  CHECK(refusal([&] {
          divot::gradient(divot::omp(-3), divot::kl{}, s.teacher, s.student, s.gradient);
        }) ==
        "divot: omp: the number of threads is -3; it must be positive (0, or omp alone: as many as "
        "OpenMP would take)");
}
#endif

TEST_CASE("weights and upstream gradients are finite") {
  sample s;
  std::vector<double> const w{1, nan, 1}, u{inf, 1, 1};
  s.refuses({.weights = w}, "batch::weights[1] is nan; it must be finite");
  s.refuses({.upstream = u}, "batch::upstream[0] is inf; it must be finite");
}

TEST_CASE("a weight leaves the gradient in the range of the arithmetic") {
  sample s;
  std::vector<double> const weights{1, 3e39, 1};
  s.refuses(
      {.weights = weights},
      "row 1: weight and upstream gradient multiply its gradient by 1e+39, which is beyond the "
      "range of the arithmetic");
}

TEST_CASE("the normaliser is positive and finite, or 0 for none") {
  sample s;
  for (auto const& [value, text] : {std::pair{-1., "-1"}, {inf, "inf"}, {nan, "nan"}}) {
    s.refuses({.normaliser = value}, std::string("batch::normaliser is ") + text +
                                         "; it must be positive and finite (0: none)");
  }
}

TEST_CASE("valid classes lie between 1 and what teacher and student both have") {
  sample s;
  s.refuses({.valid_classes = -1},
            "batch::valid_classes is -1; it must lie between 1 and 4 (0: all)");
  s.refuses({.valid_classes = 5},
            "batch::valid_classes is 5; it must lie between 1 and 4 (0: all)");
  std::vector<divot::index> const none{1, 0, 4}, many{1, 4, 5};
  s.refuses({.valid_classes_per_row = none},
            "batch::valid_classes_per_row[1] is 0; it must lie between 1 and 4");
  s.refuses({.valid_classes_per_row = many},
            "batch::valid_classes_per_row[2] is 5; it must lie between 1 and 4");
  // of a wider teacher's columns the student knows four
  matrix const wide = normal(rows, 9, 3);
  s.refuses({look(wide), look(s.student)}, {.valid_classes = 5},
            "batch::valid_classes is 5; it must lie between 1 and 4 (0: all)");
}

TEST_CASE("labels lie in range, on every row that counts") {
  matrix const student = normal(rows, classes, 2);
  matrix gradient = untouched_like(student);
  std::vector<std::int64_t> const low{0, -1, 2}, high{0, 1, 4};
  std::vector<std::uint8_t> const mask{1, 0, 1};
  std::vector<divot::index> const counts{4, 2, 2};
  std::vector<std::int64_t> const beyond{3, 1, 2};
  for (policy p : policies()) {
    CAPTURE(name(p));
    auto const given = [&](auto const& y, divot::batch const& options) {
      return refusal([&] { cross_entropy(p, y, 0, look(student), into(gradient), options); });
    };
    CHECK(given(low, {}) ==
          "divot: the label of row 1 is -1; it must lie between 0 and 3 (rows "
          "can be left out with batch::mask)");
    CHECK(given(high, {}) ==
          "divot: the label of row 2 is 4; it must lie between 0 and 3 (rows "
          "can be left out with batch::mask)");
    CHECK(given(high, {.valid_classes = 2}) ==
          "divot: the label of row 2 is 4; it must lie between 0 and 1 (rows can be left out with "
          "batch::mask)");
    CHECK(given(beyond, {.valid_classes_per_row = counts}) ==
          "divot: the label of row 2 is 2; it must lie between 0 and 1 (rows can be left out with "
          "batch::mask)");
    CHECK(gradient == untouched_like(student));
    CHECK(given(low, {.mask = mask}) == "no exception");
    gradient = untouched_like(student);
  }
}

TEST_CASE("cross-entropy needs labels, and one set of them") {
  sample s;
  std::vector<std::int64_t> const y{0, 1, 2};
  for (policy p : policies()) {
    CHECK(refusal([&] { mixed(p, s.x, into(s.gradient)); }) ==
          "divot: cross_entropy needs labels: pass labels(y) as the teacher or batch::labels (to a "
          "soft teacher it is soft_cross_entropy)");
    CHECK(refusal([&] {
            cross_entropy(p, y, 0, look(s.student), into(s.gradient), {.labels = y});
          }) == "divot: labels are given twice: as the teacher and in the batch");
  }
}

TEST_CASE("label smoothing lies in [0, 1)") {
  sample s;
  std::vector<std::int64_t> const y{0, 1, 2};
  for (double const value : {-0.5, 1., nan}) {
    std::string const text = value == 1 ? "1" : value < 0 ? "-0.5" : "nan";
    for (policy p : policies()) {
      CHECK(refusal([&] { cross_entropy(p, y, value, look(s.student), into(s.gradient)); }) ==
            "divot: labels: the smoothing is " + text + "; it must lie in [0, 1)");
    }
    CHECK(made(divot::cross_entropy{.smoothing = value}) ==
          "divot: cross_entropy: smoothing is " + text + "; it must lie in [0, 1)");
  }
}

TEST_CASE("label smoothing is given once") {
  sample s;
  std::vector<std::int64_t> const y{0, 1, 2};
  CHECK(refusal([&] {
          divot::value(divot::seq, divot::cross_entropy{.smoothing = .1}, divot::labels(y, .2),
                       s.student);
        }) ==
        "divot: label smoothing is given twice: by labels(y, 0.2) and by cross_entropy's own");
}

TEST_CASE("a temperature a row is one of logits") {
  matrix const p = matrix::Constant(rows, classes, std::log(1.f / classes));
  std::vector<double> const temperatures{1, 2, 3};
  CHECK(refusal([&] {
          divot::value(divot::seq, divot::kl{}, divot::log_probabilities(p),
                       divot::log_probabilities(p), {.temperatures = temperatures});
        }) ==
        "divot: batch::temperatures needs logits: probabilities have their temperature already");
}

TEST_CASE("parameters of divergences are finite, mixtures lie strictly between 0 and 1") {
  CHECK(made(divot::alpha_beta{.alpha = nan}) ==
        "divot: alpha_beta: alpha is nan; it must be finite");
  CHECK(made(divot::alpha_beta{.alpha = 1, .beta = inf}) ==
        "divot: alpha_beta: beta is inf; it must be finite");
  CHECK(made(divot::alpha_beta{.alpha = 1e308, .beta = 1e308}) ==
        "divot: alpha_beta: alpha + beta is inf; it must be finite");
  CHECK(made(divot::alpha{.alpha = -inf}) == "divot: alpha: alpha is -inf; it must be finite");
  for (double weight : {0., 1., -0.1, nan}) {
    CAPTURE(weight);
    CHECK(
        made(divot::skew_kl{.teacher_weight = weight}).find("divot: skew_kl: teacher_weight is") ==
        0);
    CHECK(
        made(divot::skew_js{.teacher_weight = weight}).find("divot: skew_js: teacher_weight is") ==
        0);
  }
  CHECK(made(nan * divot::kl{}) == "divot: weighted term: the weight is nan; it must be finite");
  CHECK(made(divot::cross_entropy{.z_loss = inf}) ==
        "divot: cross_entropy: z_loss is inf; it must be finite");
}

TEST_CASE("the scale of an accumulated gradient is finite") {
  matrix g = normal(rows, classes, 1);
  CHECK(refusal([&] { divot::accumulate(g, nan); }) ==
        "divot: accumulate: the scale is nan; it must be finite");
}

TEST_CASE("derivatives in alpha and beta exist for one alpha_beta term") {
  sample s;
  std::array<double, 2> parameters{untouched, untouched};
  CHECK(refusal([&] {
          divot::gradient(divot::seq, divot::kl{}, s.teacher, s.student,
                          divot::gradients().student(s.gradient).parameters(parameters));
        }) == "divot: gradients().parameters(…): the loss must be one alpha_beta term");
  CHECK(parameters[0] == untouched);
}

TEST_CASE("what is a probability already has neither a temperature nor a partition function") {
  matrix const p = matrix::Constant(rows, classes, 1.f / classes);
  matrix const logits = normal(rows, classes, 1);
  CHECK(refusal([&] {
          divot::value(divot::seq, divot::at(2, divot::kl{}), divot::log_probabilities(p), logits);
        }) ==
        "divot: at(T, …) needs logits: probabilities have their temperature already; pass "
        "logits, or log-probabilities as logits(x, T)");
  CHECK(refusal([&] {
          divot::value(divot::seq, divot::z_loss{}, logits, divot::log_probabilities(p));
        }) == "divot: z_loss needs the student's logits: the log-partition of probabilities is 0");
}

}  // namespace calls
