// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A sum of terms is the sum of what its terms give alone.

#include <doctest/doctest.h>
#include <accuracy/samples.hpp>
#include <divot/divot.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct answer {
  double value;
  matrix student, teacher;
};

struct rows {
  matrix teacher, student;
  std::vector<std::int64_t> labels;

  rows(std::uint64_t seed, Eigen::Index count, Eigen::Index classes)
      : teacher(count, classes), student(count, classes) {
    samples::random r(seed);
    auto const fill = [&](matrix& m) {
      auto const x = samples::logits<double>(r, static_cast<std::size_t>(m.size()), 2);
      std::copy(x.begin(), x.end(), m.data());
    };
    fill(teacher);
    fill(student);
    for (Eigen::Index i = 0; i < count; ++i) labels.push_back(i % classes);
  }

  template <class Loss>
  answer operator()(Loss const& what) const {
    answer a{0, matrix(student.rows(), student.cols()), matrix(student.rows(), student.cols())};
    divot::batch options;
    options.labels = labels;
    a.value = divot::value_and_gradient(
        divot::simd, what, divot::logits(teacher, 2.), divot::logits(student, 2.),
        divot::gradients().student(a.student).teacher(a.teacher), options);
    return a;
  }
};

void same(answer const& got, answer const& expected) {
  CHECK(got.value == doctest::Approx(expected.value).epsilon(1e-13));
  CHECK((got.student - expected.student).norm() <= 1e-13 * expected.student.norm());
  CHECK((got.teacher - expected.teacher).norm() <= 1e-13 * expected.teacher.norm());
}

answer combine(double a, answer const& x, double b, answer const& y) {
  return {a * x.value + b * y.value, a * x.student + b * y.student, a * x.teacher + b * y.teacher};
}

}  // namespace

TEST_CASE("a sum of terms is the sum of what they give alone, whatever their temperatures") {
  for (Eigen::Index const classes : {Eigen::Index(7), divot::block_columns + 476}) {
    CAPTURE(classes);
    rows const data(31, 5, classes);
    answer const kl = data(divot::kl{}), js = data(divot::jensen_shannon{});
    answer const hot = data(divot::at(4, divot::kl{}));
    answer const labels = data(divot::cross_entropy{.smoothing = 0.1, .z_loss = 1e-3});
    same(data(0.3 * divot::kl{} + 0.7 * divot::jensen_shannon{}), combine(0.3, kl, 0.7, js));
    same(data(0.9 * divot::at(4, divot::kl{}) + 0.1 * divot::kl{}), combine(0.9, hot, 0.1, kl));
    same(data(divot::at(4, divot::kl{}, divot::t_squared)), combine(16, hot, 0, kl));
    same(data(2 * divot::cross_entropy{.smoothing = 0.1, .z_loss = 1e-3} + divot::kl{} * 0.5),
         combine(2, labels, 0.5, kl));
    same(data(divot::cross_entropy{.smoothing = 0.1, .z_loss = 1e-3} +
              0.9 * divot::at(4, divot::kl{})),
         combine(1, labels, 0.9, hot));
  }
}

TEST_CASE("a term of weight 0 is no term, even where it is infinite") {
  for (Eigen::Index const classes : {Eigen::Index(7), divot::block_columns + 476}) {
    CAPTURE(classes);
    rows data(32, 3, classes);
    answer const js = data(divot::jensen_shannon{});
    answer const label = data(divot::cross_entropy{});
    same(data(0. * divot::kl{} + divot::jensen_shannon{}), combine(1, js, 0, js));
    data.student(1, 2) = -std::numeric_limits<double>::infinity();  // kl is infinite
    CHECK(data(divot::kl{}).value == std::numeric_limits<double>::infinity());
    answer const limit = data(divot::jensen_shannon{});
    same(data(0. * divot::kl{} + divot::jensen_shannon{}), combine(1, limit, 0, limit));
    answer const none = data(0. * divot::kl{});
    CHECK(none.value == 0);
    CHECK(none.student.isZero(0));
    CHECK(none.teacher.isZero(0));
    answer const only = data(0. * divot::kl{} + divot::cross_entropy{});
    same(only, combine(1, data(divot::cross_entropy{}), 0, label));
    CHECK(only.teacher.isZero(0));
  }
}

TEST_CASE("terms are subtracted and divided") {
  matrix const t = matrix::Random(3, 5), s = matrix::Random(3, 5);
  auto const value = [&](auto const& loss) { return double(divot::value(divot::seq, loss, t, s)); };
  double const kl = value(divot::kl{}), reverse = value(divot::reverse_kl{});
  CHECK(value(divot::kl{} / 2 - divot::reverse_kl{}) == doctest::Approx(kl / 2 - reverse));
  CHECK(value(-divot::kl{}) == doctest::Approx(-kl));
}
