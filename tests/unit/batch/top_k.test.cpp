// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Top-k teachers in batches: against the dense teacher that means the same.
#include "reference.hpp"

#include <divot/divot.hpp>

#include <array>
#include <cstdint>
#include <numeric>

namespace calls {
namespace {

using divot::tail;
using indices = Eigen::Matrix<int, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr tail tails[] = {tail::renormalise, tail::uniform, tail::bucket};

/// K classes of each row, about a K-th of 0.8 each, and a student.
struct sample {
  sample(shape s, Eigen::Index named, unsigned seed)
      : student(normal(s.rows, s.classes, seed)), k(s.rows, named), log_p(s.rows, named) {
    matrix const noise = normal(s.rows, named, seed + 1);
    for (Eigen::Index r = 0; r < s.rows; ++r) {
      wide_vector p = noise.row(r).cast<double>().array().exp();
      p *= 0.8 / p.sum();
      for (Eigen::Index j = 0; j < named; ++j) {
        k(r, j) = static_cast<int>((3 * r + j * (s.classes / (named + 1))) % s.classes);
        log_p(r, j) = static_cast<float>(std::log(p[j]));
      }
    }
  }
  /// The teacher over the first `classes` classes that a top-k one stands for. For f-divergences a
  /// bucket is a tail with the student's proportions.
  wide_matrix dense(tail what, Eigen::Index classes, double temperature = 1) const {
    wide_matrix p = wide_matrix::Zero(student.rows(), student.cols());
    for (Eigen::Index r = 0; r < p.rows(); ++r) {
      std::vector<bool> in_tail(static_cast<std::size_t>(classes), true);
      double sum = 0;
      for (Eigen::Index j = 0; j < k.cols(); ++j) {
        p(r, k(r, j)) = std::exp(double(log_p(r, j)));
        sum += p(r, k(r, j));
        in_tail[static_cast<std::size_t>(k(r, j))] = false;
      }
      wide_vector const q =
          log_softmax(student.row(r).leftCols(classes).cast<double>(), temperature).array().exp();
      double mass = 0;
      for (Eigen::Index i = 0; i < classes; ++i) {
        if (in_tail[static_cast<std::size_t>(i)]) mass += q[i];
      }
      for (Eigen::Index i = 0; i < classes; ++i) {
        if (!in_tail[static_cast<std::size_t>(i)]) continue;
        if (what == tail::uniform) p(r, i) = (1 - sum) / static_cast<double>(classes - k.cols());
        if (what == tail::bucket) p(r, i) = (1 - sum) * q[i] / mass;
      }
      if (what == tail::renormalise) p.row(r) /= sum;
    }
    return p;
  }
  auto teacher(tail what) const { return divot::top_k(k, log_p, what); }

  matrix student;
  indices k;
  matrix log_p;
};

/// The gradient and the loss within what float storage rounds them by.
void check_same(matrix const& actual, wide_matrix const& expected) {
  check_gradient(actual, expected);
}

/// A call of the library with a policy.
template <class L, class Teacher, class Student, class Where>
result run(policy who, L const& what, Teacher const& teacher, Student const& student,
           Where const& where, divot::batch const& options = {}) {
  if (who == policy::seq) {
    return divot::value_and_gradient(divot::seq, what, teacher, student, where, options);
  }
#if DIVOT_HAS_OPENMP
  return divot::value_and_gradient(divot::omp(who == policy::omp ? 2 : 1), what, teacher, student,
                                   where, options);
#else
  return divot::value_and_gradient(divot::simd, what, teacher, student, where, options);
#endif
}

}  // namespace

TEST_CASE("a top-k teacher is the dense teacher that it stands for") {
  for (shape const size : {shape{5, 7}, shape{40, 1000}, shared_rows}) {
    CAPTURE(size.classes);
    sample const s(size, 5, 1);
    for (tail const what : tails) {
      CAPTURE(int(what));
      wide_matrix const wide_student = s.student.cast<double>();
      wide_matrix expected(size.rows, size.classes);
      double const loss = divot::value_and_gradient(
          divot::kl{}, divot::probabilities(s.dense(what, size.classes, 2)),
          divot::logits(wide_student, 2), expected);
      for (policy p : policies()) {
        CAPTURE(name(p));
        matrix gradient = untouched_like(s.student);
        result const got =
            run(p, divot::kl{}, s.teacher(what), divot::logits(s.student, 2), into(gradient));
        check_loss(got.value, loss);
        check_same(gradient, expected);
        CHECK(got.valid_rows == size.rows);
        // in place
        matrix own = s.student;
        run(p, divot::kl{}, s.teacher(what), divot::logits(look(own), 2), into(own));
        CHECK(same(own, gradient));
        if (p != policy::seq) {
          matrix one = untouched_like(s.student);
          run(policy::simd, divot::kl{}, s.teacher(what), divot::logits(s.student, 2), into(one));
          CHECK(same(one, gradient));
        }
      }
    }
  }
}

TEST_CASE("masks, weights, upstream gradients, accumulation and losses of rows") {
  shape const size{20, 130};
  sample s(size, 6, 2);
  s.k(3, 2) = -100;  // a masked row may name anything
  s.log_p(3, 1) = NAN;
  std::vector<std::uint8_t> mask(20, 1);
  mask[3] = mask[7] = 0;
  auto const weights = numbers(20, 5), upstream = numbers(20, 6);
  matrix const before = normal(20, 130, 7);
  sample clean(size, 6, 2);
  for (tail const what : tails) {
    CAPTURE(int(what));
    wide_matrix const wide_student = s.student.cast<double>();
    std::vector<double> losses(20), per_row(20);
    divot::batch options{.weights = weights, .upstream = upstream, .mask = mask, .per_row = losses};
    wide_matrix expected = before.cast<double>();
    double const loss =
        divot::value_and_gradient(divot::kl{}, divot::probabilities(clean.dense(what, 130)),
                                  wide_student, divot::accumulate(expected, -3), options);
    options.per_row = per_row;
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix gradient = before;
      result const got =
          run(p, divot::kl{}, s.teacher(what), s.student, divot::accumulate(gradient, -3), options);
      check_loss(got.value, loss, 1);
      CHECK(got.valid_rows == 18);
      check_same(gradient, expected);
      for (std::size_t i = 0; i < 20; ++i) check_loss(per_row[i], losses[i]);
      CHECK((gradient.row(3).array() == before.row(3).array()).all());
    }
  }
}

TEST_CASE("only valid classes take part, and share the tail's mass") {
  shape const size{6, 90};
  sample const s(size, 4, 3);
  std::vector<divot::index> const classes{80, 90, 75, 88, 80, 79};
  for (tail const what : tails) {
    CAPTURE(int(what));
    for (bool const by_row : {false, true}) {
      CAPTURE(by_row);
      divot::batch options;
      if (by_row) {
        options.valid_classes_per_row = classes;
      } else {
        options.valid_classes = 80;
      }
      wide_matrix const wide_student = s.student.cast<double>();
      wide_matrix expected(6, 90), p(6, 90);
      for (Eigen::Index r = 0; r < 6; ++r) {
        p.row(r) = s.dense(what, by_row ? classes[static_cast<std::size_t>(r)] : 80).row(r);
      }
      double const loss = divot::value_and_gradient(divot::kl{}, divot::probabilities(p),
                                                    wide_student, expected, options);
      for (policy who : policies()) {
        CAPTURE(name(who));
        matrix gradient = untouched_like(s.student);
        check_loss(run(who, divot::kl{}, s.teacher(what), s.student, into(gradient), options).value,
                   loss);
        check_same(gradient, expected);
        CHECK((gradient.rightCols(90 - (by_row ? 90 : 80)).array() == 0).all());
      }
    }
  }
}

TEST_CASE("sums: labels and z-loss look at all classes, each term at the student's temperature") {
  shape const size{6, 130};
  sample const s(size, 4, 4);
  std::vector<std::int64_t> const y{0, 1, 129, 64, 5, 96};
  auto const what = 0.5 * divot::kl{} + 0.25 * divot::cross_entropy{.smoothing = 0.1} +
                    1e-3 * divot::z_loss{} + 0.7 * divot::jensen_shannon{};
  for (tail const mode : tails) {
    CAPTURE(int(mode));
    wide_matrix const wide_student = s.student.cast<double>();
    wide_matrix expected(6, 130);
    double const loss =
        divot::value_and_gradient(what, divot::probabilities(s.dense(mode, 130, 2)),
                                  divot::logits(wide_student, 2), expected, {.labels = y});
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix gradient = untouched_like(s.student);
      result const got =
          run(p, what, s.teacher(mode), divot::logits(s.student, 2), into(gradient), {.labels = y});
      check_loss(got.value, loss);
      check_same(gradient, expected);
      CHECK(divot::value(what, s.teacher(mode), divot::logits(s.student, 2), {.labels = y}).value ==
            doctest::Approx(loss).epsilon(1e-5));
    }
  }
}

TEST_CASE("at(1, D) beside a tempered student, and labels at another temperature") {
  shape const size{6, 130};
  sample const s(size, 4, 14);
  std::vector<std::int64_t> const y{0, 1, 129, 64, 5, 96};
  auto const what = divot::at(1, divot::kl{}) + divot::at(3, divot::cross_entropy{});
  for (tail const mode : tails) {
    CAPTURE(int(mode));
    wide_matrix const wide_student = s.student.cast<double>();
    wide_matrix expected(6, 130);
    double loss = divot::value_and_gradient(divot::kl{}, divot::probabilities(s.dense(mode, 130)),
                                            wide_student, expected);
    loss += divot::value_and_gradient(divot::cross_entropy{}, divot::labels(y),
                                      divot::logits(wide_student, 3), divot::accumulate(expected));
    matrix gradient = untouched_like(s.student);
    check_loss(run(policy::simd, what, s.teacher(mode), divot::logits(s.student, 2), into(gradient),
                   {.labels = y})
                   .value,
               loss);
    check_same(gradient, expected);
  }
}

TEST_CASE("students given as log-probabilities and as probabilities") {
  shape const size{6, 130};
  sample const s(size, 4, 5);
  wide_matrix log_q(6, 130);
  for (Eigen::Index r = 0; r < 6; ++r)
    log_q.row(r) = log_softmax(s.student.row(r).cast<double>(), 1);
  wide_matrix const q = log_q.array().exp();
  for (tail const mode : tails) {
    CAPTURE(int(mode));
    wide_matrix const p = s.dense(mode, 130);
    wide_matrix expected(6, 130), gradient(6, 130);
    double const loss = divot::value_and_gradient(divot::kl{}, divot::probabilities(p),
                                                  divot::log_probabilities(log_q), expected);
    check_loss(divot::value_and_gradient(divot::kl{}, s.teacher(mode),
                                         divot::log_probabilities(log_q), gradient)
                   .value,
               loss);
    CHECK((gradient - expected).norm() <= 1e-11 * expected.norm());
    divot::gradient(divot::kl{}, divot::probabilities(p), divot::probabilities(q), expected);
    divot::gradient(divot::kl{}, s.teacher(mode), divot::probabilities(q), gradient);
    CHECK((gradient - expected).norm() <= 1e-11 * expected.norm());
  }
}

TEST_CASE("derivatives in the student's temperature, and in alpha and beta") {
  shape const size{5, 130};
  sample const s(size, 4, 6);
  wide_matrix const student = s.student.cast<double>();
  for (tail const mode : tails) {
    CAPTURE(int(mode));
    constexpr double h = 1e-5;
    auto const at = [&](double t, double alpha, double beta) {
      return divot::value(divot::alpha_beta{.alpha = alpha, .beta = beta}, s.teacher(mode),
                          divot::logits(student, t))
          .value;
    };
    divot::temperature_gradient slope;
    std::array<double, 2> parameters;
    wide_matrix gradient(5, 130);
    divot::gradient(divot::alpha_beta{.alpha = 0.4, .beta = 0.8}, s.teacher(mode),
                    divot::logits(student, 1.5),
                    divot::gradients().student(gradient).temperature(slope).parameters(parameters));
    auto const near = [](double x) { return doctest::Approx(x).epsilon(1e-7); };
    CHECK(slope.student == near((at(1.5 + h, 0.4, 0.8) - at(1.5 - h, 0.4, 0.8)) / (2 * h)));
    CHECK(parameters[0] == near((at(1.5, 0.4 + h, 0.8) - at(1.5, 0.4 - h, 0.8)) / (2 * h)));
    CHECK(parameters[1] == near((at(1.5, 0.4, 0.8 + h) - at(1.5, 0.4, 0.8 - h)) / (2 * h)));
    CHECK(slope.teacher == 0);
  }
}

TEST_CASE("classes that are missing: the limits of the bucket and of the others") {
  matrix student(1, 5), gradient(1, 5);
  indices const k{{1, 3}};
  constexpr float inf = HUGE_VALF;
  matrix const half{{std::log(0.5f), std::log(0.25f)}};
  for (policy p : policies()) {
    CAPTURE(name(p));
    // the student has no tail, the teacher has one
    student << -inf, 1, -inf, 2, -inf;
    auto const bucket = divot::top_k(k, half, tail::bucket);
    CHECK(run(p, divot::kl{}, bucket, student, into(gradient)).value == inf);
    CHECK(std::isfinite(run(p, divot::jensen_shannon{}, bucket, student, into(gradient)).value));
    CHECK(gradient(0, 0) == 0);
    CHECK(gradient(0, 1) == doctest::Approx(-gradient(0, 3)));
    // the teacher has none
    student << 0, 1, 0.5, 2, -inf;
    matrix const whole{{std::log(0.5f), std::log(0.5f)}};
    std::vector<double> const none{-HUGE_VAL};
    for (tail const mode : tails) {
      auto const teacher = divot::top_k(k, whole, mode, none);
      matrix other(1, 5);
      float const loss = run(p, divot::kl{}, teacher, student, into(gradient));
      CHECK(std::isfinite(loss));
      CHECK(loss ==
            run(p, divot::kl{}, divot::top_k(k, whole, tail::renormalise), student, into(other))
                .value);
      CHECK((gradient - other).norm() <= 1e-6f * other.norm());
      CHECK(gradient(0, 4) == 0);
      CHECK(run(p, divot::reverse_kl{}, teacher, student, into(gradient)).value == inf);
      CHECK(!gradient.array().isNaN().any());
    }
  }
}

TEST_CASE("indices and log-probabilities of any type and storage") {
  shape const size{5, 70};
  sample const s(size, 4, 8);
  matrix expected(5, 70), gradient(5, 70);
  for (tail const mode : tails) {
    CAPTURE(int(mode));
    float const loss = divot::value_and_gradient(divot::kl{}, s.teacher(mode), s.student, expected);
    auto const check = [&](auto const& teacher) {
      gradient.setConstant(untouched);
      CHECK(divot::value_and_gradient(divot::kl{}, teacher, s.student, gradient) ==
            doctest::Approx(loss));
      CHECK((gradient - expected).norm() <= 1e-6f * expected.norm());
    };
    Eigen::MatrixXi const standing = s.k;
    Eigen::MatrixXf const standing_p = s.log_p;
    check(divot::top_k(standing, standing_p, mode));
    check(divot::top_k(s.k.cast<std::int64_t>(), s.log_p.cast<double>(), mode));
    check(divot::top_k((s.k.array() + 1).cast<std::uint8_t>() - std::uint8_t(1),
                       (s.log_p.array() * 1.f).matrix(), mode));
    check(divot::top_k(divot::matrix_ref<int const>(s.k.data(), 5, 4),
                       divot::matrix_ref<float const>(s.log_p.data(), 5, 4), mode));
    std::vector<double> mass;
    for (Eigen::Index r = 0; r < 5; ++r) {
      mass.push_back(std::log1p(-s.log_p.row(r).cast<double>().array().exp().sum()));
    }
    check(divot::top_k(s.k, s.log_p, mode, mass));
    check(divot::top_k(s.k, s.log_p, mode, Eigen::Map<Eigen::VectorXd>(mass.data(), 5)));
    // column-major students and gradients
    Eigen::MatrixXf const student = s.student;
    Eigen::MatrixXf to(5, 70);
    divot::gradient(divot::kl{}, s.teacher(mode), student, to);
    CHECK(same(matrix(to), expected));
  }
}

TEST_CASE_TEMPLATE("sixteen bits of the teacher, the student and the gradient", S, Eigen::half,
                   Eigen::bfloat16) {
  using small = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  sample s({5, 70}, 4, 9);
  small const log_p = s.log_p.cast<S>(), student = s.student.cast<S>();
  s.log_p = log_p.template cast<float>();
  s.student = student.template cast<float>();
  for (tail const mode : tails) {
    CAPTURE(int(mode));
    matrix expected(5, 70);
    small gradient(5, 70);
    float const loss = divot::value_and_gradient(divot::kl{}, s.teacher(mode), s.student, expected);
    CHECK(divot::value_and_gradient(divot::kl{}, divot::top_k(s.k, log_p, mode), student, gradient)
              .value == loss);
    CHECK((gradient.array() == expected.cast<S>().array()).all());
  }
}

TEST_CASE("losses without a divergence do not look at the teacher's classes") {
  sample const s({5, 70}, 4, 10);
  std::vector<std::int64_t> const y{0, 1, 69, 64, 5};
  matrix expected(5, 70), gradient(5, 70);
  float const loss =
      divot::value_and_gradient(divot::cross_entropy{}, divot::labels(y), s.student, expected);
  for (tail const mode : tails) {
    CHECK(divot::value_and_gradient(divot::cross_entropy{}, s.teacher(mode), s.student, gradient,
                                    {.labels = y}) == doctest::Approx(loss));
    CHECK((gradient - expected).norm() <= 1e-6f * expected.norm());
  }
}

}  // namespace calls
