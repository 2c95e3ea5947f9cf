// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// sinkd beside losses of single rows: what a sum gives is what its terms give one by one.

#include <doctest/doctest.h>
#include <divot/divot.hpp>
#include <unit/refusal.hpp>
#include <unit/row_samples.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace {

template <class S>
using row_major = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using matrix = row_major<double>;
constexpr auto sum = divot::reduction::sum;

matrix random(divot::index rows, divot::index cols, unsigned seed, double scale = 2) {
  return random_rows(rows, cols, seed, scale);
}

std::vector<std::int64_t> some_labels(divot::index rows, divot::index classes) {
  std::vector<std::int64_t> y;
  for (divot::index i = 0; i < rows; ++i) y.push_back(7 * i % classes);
  return y;
}

constexpr divot::sinkd sharp{.temperature = 1.5, .epsilon = .05, .sweeps = 5};
/// The three terms of most sums below, and their weights.
auto const rows_of_sum = .1 * divot::cross_entropy{} + .9 * divot::at(4, divot::kl{});
auto const published = rows_of_sum + .8 * divot::sinkd{};
auto const with_two = 3 * (.25 * divot::sinkd{} + rows_of_sum / 3 - .5 * sharp);

/// Everything that a call gives, in double.
struct everything {
  double value = 0;
  std::vector<double> per_row;
  matrix student, teacher;

  everything(divot::index rows, divot::index teacher_cols, divot::index student_cols)
      : per_row(static_cast<std::size_t>(rows)),
        student(matrix::Zero(rows, student_cols)),
        teacher(matrix::Zero(rows, teacher_cols)) {}
  everything& add(double weight, everything const& other) {
    value += weight * other.value;
    for (std::size_t i = 0; i < per_row.size(); ++i) per_row[i] += weight * other.per_row[i];
    student += weight * other.student;
    teacher += weight * other.teacher;
    return *this;
  }
};

/// How far two are apart, relative to the larger one of their parts.
double apart(everything const& a, everything const& b) {
  auto const relative = [](double difference, double size) {
    return size == 0 ? difference : difference / size;
  };
  double worst = relative(std::abs(a.value - b.value), std::abs(b.value));
  worst = std::max(worst, relative((a.student - b.student).norm(), b.student.norm()));
  worst = std::max(worst, relative((a.teacher - b.teacher).norm(), b.teacher.norm()));
  for (std::size_t i = 0; i < a.per_row.size(); ++i) {
    worst =
        std::max(worst, relative(std::abs(a.per_row[i] - b.per_row[i]), std::abs(b.per_row[i])));
  }
  return worst;
}

template <class M, class Policy, class L>
everything run(Policy const& policy, L const& what, M const& teacher, M const& student,
               divot::batch options) {
  everything out(student.rows(), teacher.cols(), student.cols());
  M g(student.rows(), student.cols()), h(teacher.rows(), teacher.cols());
  options.per_row = out.per_row;
  out.value =
      divot::value_and_gradient(policy, what, divot::logits(teacher, 3), divot::logits(student, 2),
                                divot::gradients().student(g).teacher(h), options);
  out.student = g.template cast<double>();
  out.teacher = h.template cast<double>();
  return out;
}

/// A call's sum against its terms' calls.
template <class M, class Policy>
void check_sums(Policy const& policy, M const& teacher, M const& student,
                divot::batch const& options, double tolerance) {
  auto const alone = [&](auto const& what) { return run(policy, what, teacher, student, options); };
  everything const rows = alone(rows_of_sum), one = alone(divot::sinkd{}), other = alone(sharp);
  auto const terms = [&](double of_rows, double of_one, double of_other) {
    everything all(student.rows(), teacher.cols(), student.cols());
    return all.add(of_rows, rows).add(of_one, one).add(of_other, other);
  };
  CHECK(apart(alone(published), terms(1, .8, 0)) <= tolerance);
  CHECK(apart(alone(with_two), terms(1, .75, -1.5)) <= tolerance);
  CHECK(apart(alone(rows_of_sum - divot::sinkd{}), terms(1, -1, 0)) <= tolerance);
  CHECK(apart(alone(.8 * divot::sinkd{}), terms(0, .8, 0)) <= tolerance);
  CHECK(apart(alone(sharp / 2 + divot::sinkd{}), terms(0, 1, .5)) <= tolerance);
  CHECK(apart(alone(-sharp), terms(0, 0, -1)) <= tolerance);
}

TEST_CASE("a sum with sinkd is the sum of its terms, on every policy, type and storage order") {
  struct shape {
    divot::index rows, classes;
  };
  for (shape const& x : {shape{1, 1}, {1, 6}, {3, 5}, {19, 65}, {7, 300}}) {
    CAPTURE(x.rows);
    CAPTURE(x.classes);
    matrix const t = random(x.rows, x.classes, 1), s = random(x.rows, x.classes, 2);
    auto const y = some_labels(x.rows, x.classes);
    divot::batch const options{.labels = y};
    check_sums(divot::seq, t, s, options, 1e-12);
    check_sums(divot::simd, t, s, options, 1e-12);
    check_sums<Eigen::MatrixXd>(divot::simd, t, s, options, 1e-12);
    check_sums<row_major<float>>(divot::simd, t.cast<float>(), s.cast<float>(), options, 2e-5);
    check_sums<Eigen::MatrixXf>(divot::simd, t.cast<float>(), s.cast<float>(), options, 2e-5);
  }
}

TEST_CASE("a sum with sinkd takes a batch's options as its terms do") {
  for (divot::index const classes : {9, 200}) {
    CAPTURE(classes);
    matrix t = random(6, classes + 2, 3), s = random(6, classes, 4);
    auto const y = some_labels(6, classes - 3);
    std::vector<double> const weights{1, 0, -.5, 2, .3, 1}, upstream{2, 1, 1, -1, .5, 3};
    std::vector<std::uint8_t> const mask{1, 1, 0, 1, 1, 1};
    std::vector<divot::index> const valid{classes,     classes - 1, classes,
                                          classes - 3, classes,     classes - 2};
    t.row(2).setConstant(std::nan(""));
    for (auto const reduction : {divot::reduction::mean, sum, divot::reduction::none}) {
      divot::batch options{.reduction = reduction, .weights = weights, .mask = mask, .labels = y};
      options.valid_classes = classes;
      check_sums(divot::simd, t, s, options, 1e-12);
      options.upstream = upstream;
      options.valid_classes = 0;
      options.valid_classes_per_row = valid;
      check_sums(divot::simd, t, s, options, 1e-12);
      check_sums(divot::seq, t, s, options, 1e-12);
    }
    divot::batch const options{
        .mask = mask, .labels = y, .normaliser = 17, .valid_classes = classes - 3};
    check_sums(divot::simd, t, s, options, 1e-12);
    std::vector<std::uint8_t> const none(6, 0);
    std::vector<double> per_row(6, 7);
    matrix g = matrix::Constant(6, classes, 7);
    CHECK(divot::value_and_gradient(published, s, s, g,
                                    {.mask = none, .labels = y, .per_row = per_row}) == 0);
    CHECK((g.array() == 0).all());
    CHECK(per_row == std::vector<double>(6));
  }
}

TEST_CASE("a sum with sinkd takes every teacher that sinkd takes") {
  matrix const t = random(5, 7, 5), s = random(5, 7, 6);
  auto const y = some_labels(5, 7);
  auto const check = [&](auto const& what, auto const& of_rows, auto const& teacher,
                         divot::batch const& options) {
    matrix g(5, 7), rows(5, 7), between(5, 7);
    double const value = divot::value_and_gradient(what, teacher, s, g, options);
    double const a = divot::value_and_gradient(of_rows, teacher, s, rows, options);
    double const b = divot::value_and_gradient(divot::sinkd{}, teacher, s, between, options);
    CHECK(value == doctest::Approx(a + .8 * b).epsilon(1e-14));
    CHECK((g - rows - .8 * between).norm() <= 1e-14 * g.norm());
    CHECK(divot::value(what, teacher, s, options) == value);
    matrix only(5, 7);
    divot::gradient(what, teacher, s, only, options);
    CHECK((only.array() == g.array()).all());
  };
  matrix p(5, 7), log_p(5, 7);
  divot::softmax(t, p);
  divot::log_softmax(t, log_p);
  auto const tempered = .3 * divot::kl{} + .8 * divot::sinkd{};
  check(published, rows_of_sum, divot::logits(t, 2), {.labels = y});
  check(tempered, .3 * divot::kl{}, divot::probabilities(p), {});
  check(tempered, .3 * divot::kl{}, divot::log_probabilities(log_p), {});
  check(divot::cross_entropy{} + .8 * divot::sinkd{}, divot::cross_entropy{}, divot::labels(y, .1),
        {});
  // in float, probabilities are worked out in double
  row_major<float> const pf = p.cast<float>(), sf = s.cast<float>();
  row_major<float> g(5, 7), rows(5, 7), between(5, 7);
  divot::gradient(tempered, divot::probabilities(pf), sf, g);
  divot::gradient(.3 * divot::kl{}, divot::probabilities(pf), sf, rows);
  divot::gradient(.8 * divot::sinkd{}, divot::probabilities(pf), sf, between);
  CHECK((g - rows - between).norm() <= 2e-7f * g.norm());
}

TEST_CASE("a sum's gradient lands in place, accumulates, and is rounded once") {
  for (divot::index const classes : {6, 200}) {
    CAPTURE(classes);
    matrix const t = random(5, classes, 7), s = random(5, classes, 8);
    auto const y = some_labels(5, classes);
    divot::batch const options{.labels = y};
    matrix g(5, classes), in_place = s, total = matrix::Ones(5, classes);
    double const value = divot::value_and_gradient(with_two, t, s, g, options);
    CHECK(divot::value_and_gradient(with_two, t, in_place, in_place, options) == value);
    CHECK((in_place.array() == g.array()).all());
    divot::gradient(with_two, t, s, divot::accumulate(total, -2), options);
    CHECK((total - matrix::Ones(5, classes) + 2 * g).norm() <= 1e-14);
    Eigen::MatrixXd columns = s;
    divot::gradient(with_two, Eigen::MatrixXd(t), columns, columns, options);
    CHECK((columns - g).norm() <= 1e-14);

    auto const sixteen = [&]<class S>(S) {
      row_major<S> const th = t.cast<S>(), sh = s.cast<S>();
      row_major<float> const tf = th.template cast<float>(), sf = sh.template cast<float>();
      row_major<S> gh(5, classes), where = sh;
      row_major<float> gf(5, classes);
      divot::gradient(published, th, sh, gh, options);
      divot::gradient(published, tf, sf, gf, options);
      CHECK((gh.array() == gf.cast<S>().array()).all());
      divot::gradient(published, th, where, where, options);
      CHECK((where.array() == gh.array()).all());
    };
    sixteen(Eigen::half());
    sixteen(Eigen::bfloat16());
  }
}

TEST_CASE("rows that are worked out again in wider types have sinkd's gradient, too") {
  for (divot::index const classes : {6, 200}) {
    CAPTURE(classes);
    matrix wide = random(4, classes, 13), other = random(4, classes, 14, .1);
    wide.row(1)(2) = -100;  // pearson asks double what became of it
    row_major<float> const s = wide.cast<float>(), t = (wide + other).cast<float>();
    row_major<float> g(4, classes), rows(4, classes), between(4, classes);
    float const value = divot::value_and_gradient(divot::pearson{} + 5 * divot::sinkd{}, t, s, g);
    float const a = divot::value_and_gradient(divot::pearson{}, t, s, rows);
    float const b = divot::value_and_gradient(5 * divot::sinkd{}, t, s, between);
    CHECK(value == doctest::Approx(a + b).epsilon(1e-6));
    CHECK((g - rows - between).norm() <= 1e-6f * g.norm());
    CHECK(between.row(1).norm() > .01f * g.row(1).norm());
  }
}

#if DIVOT_HAS_OPENMP
TEST_CASE("threads change no bit of a sum with sinkd") {
  for (divot::index const classes : {40, 300}) {
    row_major<float> const t = random(70, classes, 9).cast<float>();
    row_major<float> const s = random(70, classes, 10).cast<float>();
    auto const y = some_labels(70, classes);
    everything const one = run(divot::omp(1), with_two, t, s, {.labels = y});
    everything const two = run(divot::omp(2), with_two, t, s, {.labels = y});
    CHECK(one.value == two.value);
    CHECK(one.per_row == two.per_row);
    CHECK((one.student.array() == two.student.array()).all());
    CHECK((one.teacher.array() == two.teacher.array()).all());
  }
}
#endif

TEST_CASE("a sum with sinkd says what is wrong before anything is written") {
  matrix t = random(3, 4, 11), s = random(3, 4, 12), g = matrix::Constant(3, 4, 7);
  std::vector<double> per_row(3, 7);
  std::vector<std::int64_t> const y{0, 1, 2}, bad{0, 4, 2};
  auto const call = [&](auto const& what, divot::batch options = {}) {
    options.per_row = per_row;
    return refusal([&] { divot::value_and_gradient(what, t, s, g, options); });
  };
  divot::kl const kl;
  CHECK(call(kl + divot::sinkd{.epsilon = 0}).find("epsilon is 0") != std::string::npos);
  CHECK(call(kl + sharp + divot::sinkd{.sweeps = -1}).find("sweeps is -1") != std::string::npos);
  CHECK(call(kl + divot::sinkd{.mass = divot::mass::probability}).find("batch::reduction sum") !=
        std::string::npos);
  CHECK(call(kl + INFINITY * divot::sinkd{}).find("the weight is inf") != std::string::npos);
  CHECK(call(INFINITY * kl + divot::sinkd{}).find("the weight is inf") != std::string::npos);
  CHECK(call(divot::at(-1, kl) + divot::sinkd{}).find("at(T, …)") != std::string::npos);
  CHECK(call(published).find("needs labels") != std::string::npos);
  CHECK(call(published, {.labels = bad}).find("the label of row 1 is 4") != std::string::npos);
  std::vector<double> const temperatures{1, 2, 3};
  CHECK(call(kl + divot::sinkd{}, {.temperatures = temperatures}).find("temperatures") !=
        std::string::npos);
  CHECK(refusal([&] { divot::value(kl + divot::sinkd{}, t.topRows(2), s); }) ==
        "divot: the teacher has 2 rows, the student 3");
  divot::temperature_gradient slope;
  CHECK(refusal([&] {
          divot::gradient(kl + divot::sinkd{}, t, s,
                          divot::gradients().student(g).temperature(slope));
        }).find("temperature(…)") != std::string::npos);
  s(2, 1) = std::nan("");
  for (auto const when : {divot::check::each_row, divot::check::first}) {
    CHECK(call(published, {.labels = y, .check = when}) ==
          "divot: student, row 2, column 1: NaN; nothing was written");
  }
  CHECK((g.array() == 7).all());
  CHECK(per_row == std::vector<double>(3, 7));
}

}  // namespace
