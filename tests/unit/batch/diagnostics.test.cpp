// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Diagnostics of rows against their definitions, written out in double.
#include "reference.hpp"

#include <divot/diagnostics.hpp>
#include <divot/divot.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>

namespace calls {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// 0 log 0 = 0.
double times(double p, double x) { return p == 0 ? 0 : p * x; }

struct answer {
  divot::row_diagnostics numbers;
  wide_vector log_ratio, hardness, confidence;
};

/// One row by definition; g is the student's gradient.
answer of_row(wide_vector const& teacher, wide_vector const& student, double tt, double st,
              divot::index head, divot::index label, wide_vector const& g, double alpha,
              double beta) {
  wide_vector const log_p = log_softmax(teacher, tt), log_q = log_softmax(student, st);
  wide_vector const p = log_p.array().exp(), q = log_q.array().exp();
  auto const n = p.size();
  answer a;
  std::vector<double> ordered(teacher.begin(), teacher.end());
  std::sort(ordered.begin(), ordered.end(), std::greater<>());
  double const least = head == 0 ? inf : ordered[std::size_t(std::min(head, n) - 1)];
  a.hardness.resize(n);
  a.confidence.resize(n);
  for (Eigen::Index k = 0; k < n; ++k) {
    a.numbers.teacher_entropy -= times(p[k], log_p[k]);
    a.numbers.student_entropy -= times(q[k], log_q[k]);
    a.numbers.cross_entropy -= times(p[k], log_q[k]);
    if (teacher[k] == teacher.maxCoeff() && student[k] == student.maxCoeff()) {
      a.numbers.agreement = 1;
    }
    if (head > 0) {
      bool const in_head = teacher[k] >= least;
      (in_head ? a.numbers.teacher_head : a.numbers.teacher_tail) += p[k];
      (in_head ? a.numbers.student_head : a.numbers.student_tail) += q[k];
    }
    a.hardness[k] = alpha == 0
                        ? std::abs(log_p[k] - log_q[k])
                        : std::abs(std::pow(p[k], alpha) - std::pow(q[k], alpha)) / std::abs(alpha);
    if (log_p[k] == -inf && log_q[k] == -inf) a.hardness[k] = 0;
    a.confidence[k] = std::pow(q[k], beta);
  }
  if (label >= 0) {
    a.numbers.teacher_on_label = p[label];
    a.numbers.student_on_label = q[label];
  }
  double mean = 0;
  for (Eigen::Index k = 0; k < n; ++k) mean += times(q[k], g[k]);
  a.log_ratio = (mean - g.array()) / st;
  return a;
}

void check_near(double actual, double expected, double bound = 3e-6) {
  if (expected == actual) return;  // infinities
  CHECK(std::abs(actual - expected) <= bound * std::max(std::abs(expected), 1e-30));
}

void check_numbers(divot::row_diagnostics const& actual, divot::row_diagnostics const& expected) {
  using d = divot::row_diagnostics;
  for (auto const field :
       {&d::teacher_entropy, &d::student_entropy, &d::cross_entropy, &d::agreement,
        &d::teacher_on_label, &d::student_on_label, &d::teacher_head, &d::teacher_tail,
        &d::student_head, &d::student_tail}) {
    check_near(actual.*field, expected.*field);
  }
}

template <class Teacher, class Student, class Where>
result run(policy who, Teacher const& teacher, Student const& student, Where const& where,
           divot::batch const& options = {}) {
  if (who == policy::seq) {
    return divot::value_and_gradient(divot::seq, divot::kl{}, teacher, student, where, options);
  }
#if DIVOT_HAS_OPENMP
  return divot::value_and_gradient(divot::omp(who == policy::omp ? 2 : 1), divot::kl{}, teacher,
                                   student, where, options);
#else
  return divot::value_and_gradient(divot::simd, divot::kl{}, teacher, student, where, options);
#endif
}

/// Everything at once, and where it goes.
struct request {
  explicit request(shape s) : rows(std::size_t(s.rows)) {
    for (matrix* m : {&gradient, &log_ratio, &hardness, &confidence}) {
      *m = matrix::Constant(s.rows, s.classes, untouched);
    }
    asked.head = 4;
    asked.per_row = rows;
    asked.log_ratio = divot::view(log_ratio);
    asked.hardness = divot::view(hardness);
    asked.confidence = divot::view(confidence);
    asked.alpha = .3;
    asked.beta = .7;
  }
  request(request const&) = delete;
  auto where() { return divot::gradients().student(into(gradient)).diagnostics(asked); }

  std::vector<divot::row_diagnostics> rows;
  matrix gradient, log_ratio, hardness, confidence;
  divot::diagnostics<> asked;
};

/// A row's vector to within float's digits of its largest element.
void check_row(matrix const& actual, Eigen::Index r, wide_vector const& expected, double bound) {
  double largest = 0;
  for (double x : expected) {
    if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
  }
  for (Eigen::Index k = 0; k < expected.size(); ++k) {
    double const got = double(actual(r, k));
    if (actual(r, k) == float(expected[k])) continue;  // beyond float's range, both ways, too
    CHECK(std::abs(got - expected[k]) <= bound * largest);
  }
}

}  // namespace

TEST_CASE("every number and every matrix, on every policy and shape") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    matrix teacher = 3 * normal(size.rows, size.classes, 1);
    matrix const student = 3 * normal(size.rows, size.classes, 2);
    teacher.row(1).array() += 300;  // an offset means nothing
    std::vector<std::int64_t> labels;
    for (Eigen::Index r = 0; r < size.rows; ++r) labels.push_back((5 * r) % size.classes);
    for (auto const& temperatures : {std::pair{1., 1.}, std::pair{2., 2.}, std::pair{1.5, .7}}) {
      double const tt = temperatures.first, st = temperatures.second;
      CAPTURE(st);
      for (policy p : policies()) {
        CAPTURE(name(p));
        request d(size);
        divot::batch options{.labels = labels};
        auto const loss =
            run(p, divot::logits(teacher, tt), divot::logits(student, st), d.where(), options);
        matrix plain = untouched_like(student);
        auto const without =
            run(p, divot::logits(teacher, tt), divot::logits(student, st), into(plain), options);
        check_loss(loss.value, without.value);
        if (size.classes > 128) CHECK(same(d.gradient, plain));
        divot::row_diagnostics mean;
        for (Eigen::Index r = 0; r < size.rows; ++r) {
          CAPTURE(r);
          auto const at = std::size_t(r);
          answer const a = of_row(teacher.row(r).cast<double>(), student.row(r).cast<double>(), tt,
                                  st, 4, labels[at], d.gradient.row(r).cast<double>(), .3, .7);
          check_numbers(d.rows[at], a.numbers);
          check_row(d.log_ratio, r, a.log_ratio, 1e-6);
          check_row(d.hardness, r, a.hardness, 1e-6);
          check_row(d.confidence, r, a.confidence, 1e-6);
          mean.student_tail += a.numbers.student_tail / double(size.rows);
          mean.cross_entropy += a.numbers.cross_entropy / double(size.rows);
        }
        check_near(d.asked.mean.student_tail, mean.student_tail);
        check_near(d.asked.mean.cross_entropy, mean.cross_entropy);
      }
    }
  }
}

TEST_CASE("LogR is what a step on the logits does, and weighs as the bound says") {
  shape const size{6, 200};
  matrix const teacher = 2 * normal(6, 200, 3), student = 2 * normal(6, 200, 4);
  request d(size);
  divot::value_and_gradient(divot::alpha_beta{.3, .7}, teacher, student, d.where(),
                            {.reduction = divot::reduction::sum});
  double const eta = 1e-3;
  for (Eigen::Index r = 0; r < 6; ++r) {
    wide_vector const g = d.gradient.row(r).cast<double>(), s = student.row(r).cast<double>();
    wide_vector const moved = log_softmax(s - eta * g, 1) - log_softmax(s, 1);
    wide_vector const q = log_softmax(s, 1).array().exp();
    wide_vector const pull =
        (d.hardness.row(r).array() * d.confidence.row(r).array()).cast<double>();
    for (Eigen::Index k = 0; k < 200; ++k) {
      CHECK(std::abs(moved[k] / eta - double(d.log_ratio(r, k))) <= 1e-3 * g.cwiseAbs().maxCoeff());
      CHECK(std::abs(g[k]) <= (pull[k] + q[k] * pull.sum()) * (1 + 1e-5));
    }
  }
}

TEST_CASE("zero probabilities, ties, saturated and equal rows") {
  float const low = -std::numeric_limits<float>::infinity();
  matrix teacher(6, 140), student(6, 140);
  teacher.setZero();
  student.setZero();
  for (Eigen::Index k = 0; k < 140; ++k) teacher(0, k) = student(0, k) = float(k % 7);  // equal
  teacher(1, 3) = 5;  // everything else is tied
  student.row(1) = teacher.row(1);
  student(1, 9) = 5;    // two on top, one of them the teacher's
  teacher(2, 0) = low;  // missing here, there and in both
  student(2, 1) = low;
  teacher(2, 2) = student(2, 2) = low;
  teacher(3, 5) = 1000;  // all mass on one class
  student(3, 6) = 1000;
  teacher.row(4).setConstant(low);
  teacher(4, 7) = 0;
  student(4, 8) = 1;
  for (Eigen::Index k = 0; k < 140; ++k) teacher(5, k) = .1f * float(k);
  student.row(5) = teacher.row(5).array() + 1e-4f * teacher.row(5).array().sin();
  for (double alpha : {.5, 0., 1., -.4}) {
    CAPTURE(alpha);
    for (policy p : policies()) {
      CAPTURE(name(p));
      request d({6, 140});
      d.asked.alpha = alpha;
      d.asked.beta = alpha;
      run(p, divot::logits(teacher), divot::logits(student), d.where());
      for (Eigen::Index r = 0; r < 6; ++r) {
        CAPTURE(r);
        answer const a = of_row(teacher.row(r).cast<double>(), student.row(r).cast<double>(), 1, 1,
                                4, -1, d.gradient.row(r).cast<double>(), alpha, alpha);
        check_numbers(d.rows[std::size_t(r)], a.numbers);
        if (r != 3) check_row(d.hardness, r, a.hardness, 2e-6);
        if (r != 3) check_row(d.confidence, r, a.confidence, 2e-6);
        CHECK(!d.log_ratio.row(r).hasNaN());
        CHECK(!d.hardness.row(r).hasNaN());
        check_row(d.log_ratio, r, a.log_ratio, 2e-6);
      }
      CHECK(d.rows[1].agreement == 1);
      CHECK(d.rows[2].cross_entropy == inf);
      CHECK(d.asked.mean.cross_entropy == inf);
      CHECK(d.rows[3].agreement == 0);
    }
  }
}

TEST_CASE("LogR of an infinite gradient") {
  float const low = -std::numeric_limits<float>::infinity(), high = -low;
  matrix teacher = matrix::Zero(1, 200), student = matrix::Zero(1, 200);
  teacher(0, 3) = low;  // the reverse KL drives all mass away from here
  student(0, 4) = low;
  request d({1, 200});
  auto const loss = divot::value_and_gradient(divot::reverse_kl{}, teacher, student, d.where());
  CHECK(loss.value == high);
  for (Eigen::Index k = 0; k < 200; ++k) {
    CHECK(d.log_ratio(0, k) == (k == 3 ? low : k == 4 ? 0 : high));
  }
}

TEST_CASE("masked rows, padded columns, other storage, in place, no matrices") {
  shape const size{40, 300};
  matrix const teacher = normal(40, 300, 5), student = normal(40, 300, 6);
  std::vector<std::uint8_t> mask(40, 1);
  mask[0] = mask[17] = 0;
  divot::batch const options{.mask = mask, .valid_classes = 290};
  using storage = Eigen::Matrix<Eigen::bfloat16, Eigen::Dynamic, Eigen::Dynamic>;  // by columns
  storage const t = teacher.cast<Eigen::bfloat16>(), s = student.cast<Eigen::bfloat16>();
  for (policy p : policies()) {
    CAPTURE(name(p));
    request d(size);
    storage gradient = s, ratio = s;
    divot::diagnostics<Eigen::bfloat16> asked;
    asked.per_row = d.rows;
    asked.head = 290;
    asked.log_ratio = divot::view(ratio);
    run(p, divot::logits(t), divot::logits(s),
        divot::gradients().student(gradient).diagnostics(asked), options);
    divot::row_diagnostics mean;
    for (Eigen::Index r = 0; r < 40; ++r) {
      CAPTURE(r);
      auto const at = std::size_t(r);
      if (mask[at] == 0) {
        check_numbers(d.rows[at], {});
        CHECK((ratio.row(r).array() == Eigen::bfloat16(0)).all());
        continue;
      }
      answer const a =
          of_row(t.row(r).leftCols(290).cast<double>(), s.row(r).leftCols(290).cast<double>(), 1, 1,
                 290, -1, gradient.row(r).leftCols(290).cast<double>(), 1, 0);
      check_numbers(d.rows[at], a.numbers);
      mean.student_entropy += a.numbers.student_entropy / 38;
      matrix const got = ratio.row(r).cast<float>();
      check_row(got, 0, a.log_ratio, 1e-2);
      CHECK((got.rightCols(10).array() == 0.f).all());
    }
    check_near(asked.mean.student_entropy, mean.student_entropy);

    // in place, and added to what is there: LogR is of the call's own gradient
    request fresh(size);
    run(p, divot::logits(teacher), divot::logits(student), fresh.where(), options);
    request over(size);
    matrix own = student;
    run(p, divot::logits(teacher), divot::logits(look(own)),
        divot::gradients().student(into(own)).diagnostics(over.asked), options);
    CHECK(same(own, fresh.gradient));
    CHECK(same(over.log_ratio, fresh.log_ratio));
    CHECK(same(over.hardness, fresh.hardness));
    request added(size);
    matrix sum = student;
    run(p, divot::logits(teacher), divot::logits(student),
        divot::gradients().student(added_to(sum, 2)).diagnostics(added.asked), options);
    CHECK(same(added.log_ratio, 2 * fresh.log_ratio));
  }
}

TEST_CASE("without a loss, and with every kind of teacher") {
  matrix const teacher = normal(5, 200, 7), student = normal(5, 200, 8);
  divot::diagnostics<> asked;
  asked.head = 3;
  auto const base = divot::diagnose(teacher, divot::logits(student, 2.), asked);
  wide_matrix p(5, 200);
  divot::softmax(teacher.cast<double>(), p);
  for (int kind = 0; kind < 2; ++kind) {
    auto const other =
        kind == 0
            ? divot::diagnose(divot::simd, divot::probabilities(p), divot::logits(student, 2.),
                              asked)
            : divot::diagnose(divot::simd, divot::log_probabilities(wide_matrix(p.array().log())),
                              divot::logits(student, 2.), asked);
    check_numbers(other, base);
  }
  check_numbers(divot::diagnose(divot::seq, teacher, divot::logits(student, 2.), asked), base);
  auto const twice = divot::mixture(teacher, teacher, std::array{.5, .5});
  check_numbers(divot::diagnose(divot::simd, twice, divot::logits(student, 2.), asked), base);

  // labels are a distribution, too
  std::vector<std::int64_t> const y{0, 5, 199, 7, 7};
  auto const hard = divot::diagnose(divot::labels(y), student);
  CHECK(hard.teacher_entropy == 0);
  CHECK(hard.teacher_on_label == 1);
  double const loss = divot::value(divot::cross_entropy{}, divot::labels(y), student);
  check_near(hard.cross_entropy, loss);
  divot::diagnostics<> with_loss;
  matrix g(5, 200);
  divot::value_and_gradient(divot::cross_entropy{}, divot::labels(y), student,
                            divot::gradients().student(g).diagnostics(with_loss));
  check_numbers(with_loss.mean, hard);

  // all of a top-k teacher's classes and its tail
  Eigen::Matrix<int, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> k(5, 2);
  k << 0, 1, 2, 3, 4, 5, 6, 7, 8, 9;
  matrix const log_p = matrix::Constant(5, 2, std::log(.4f));
  auto const sparse =
      divot::diagnose(divot::simd, divot::top_k(k, log_p, divot::tail::uniform), student, asked);
  double const rest = .2 / 198;
  check_near(sparse.teacher_entropy, -.8 * std::log(.4) - .2 * std::log(rest));
  check_near(sparse.teacher_head, 1);  // the tail is tied with the third
  CHECK(sparse.teacher_tail == 0);
  asked.head = 2;
  check_near(
      divot::diagnose(divot::simd, divot::top_k(k, log_p, divot::tail::uniform), student, asked)
          .teacher_tail,
      .2);
}

TEST_CASE("what diagnostics cannot tell") {
  matrix const teacher = normal(3, 9, 1);
  matrix student = normal(3, 9, 2), small(3, 8);
  request d({3, 9});
  auto const call = [&] { return refusal([&] { divot::diagnose(teacher, student, d.asked); }); };
  auto const full = [&] {
    return refusal([&] { divot::value_and_gradient(divot::kl{}, teacher, student, d.where()); });
  };
  CHECK(call() ==
        "divot: diagnostics::log_ratio needs the student's gradient: gradients().student(…)");
  d.asked.log_ratio = divot::view(small);
  CHECK(full() ==
        "divot: diagnostics::log_ratio is 3×8, the student 3×9; they must have the same shape");
  d.asked.log_ratio = {};
  d.asked.hardness = divot::view(student);
  CHECK(full() == "divot: diagnostics::hardness and the student overlap");
  d.asked.hardness = d.asked.confidence;
  CHECK(full() == "divot: diagnostics::confidence and diagnostics::hardness overlap");
  d.asked.hardness = {};
  d.asked.head = -1;
  CHECK(full() == "divot: diagnostics::head is -1; it must not be negative");
  d.asked.head = 0;
  d.asked.beta = inf;
  CHECK(full() == "divot: diagnostics: alpha is 0.3, beta inf; they must be finite");
  d.asked.beta = 0;
  d.rows.resize(2);
  d.asked.per_row = d.rows;
  CHECK(full() == "divot: diagnostics::per_row has 2 entries for 3 rows");
  d.asked.per_row = {};
  Eigen::Matrix<int, 3, 2> k;
  k << 0, 1, 2, 3, 4, 5;
  matrix const log_p = matrix::Constant(3, 2, std::log(.4f));
  CHECK(refusal([&] {
          divot::diagnose(divot::top_k(k, log_p, divot::tail::bucket), student, d.asked);
        }) ==
        "divot: diagnostics: a top_k teacher with tail::bucket says nothing of its tail's classes; "
        "use tail::renormalise or tail::uniform");
  CHECK((d.gradient.array() == untouched).all());
  student(1, 2) = NAN;
  CHECK(refusal<divot::bad_value>([&] { divot::diagnose(teacher, student, d.asked); }) ==
        "divot: student, row 1, column 2: NaN; all other rows are complete");
}

}  // namespace calls
