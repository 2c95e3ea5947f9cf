// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A mixture is the teacher whose probabilities are the mean of its teachers'.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <accuracy/budget.hpp>
#include <unit/transforms/explicit.hpp>

#include <array>
#include <limits>
#include <vector>

namespace {

using namespace written_out;
constexpr double inf = std::numeric_limits<double>::infinity();

struct shape {
  Index rows, cols;
};
constexpr shape shapes[] = {{1, 1},     {5, 7},
                            {3, 131},   {3, 2 * divot::block_columns + 452},
                            {40, 1000}, {2, 9 * divot::block_columns - 7}};

}  // namespace

TEST_CASE("KL to a mixture, and its gradient, by hand") {
  for (shape const& size : shapes) {
    CAPTURE(size.cols);
    auto const a = normal<float>(50, size.rows, size.cols),
               b = normal<float>(51, size.rows, size.cols),
               c = normal<float>(52, size.rows, size.cols),
               s = normal<float>(53, size.rows, size.cols);
    std::array const weights{.5, .2, .3};
    wides const p = wide(.5) * softmax(a.cast<wide>(), 2) + wide(.2) * softmax(b.cast<wide>(), 1) +
                    wide(.3) * softmax(softcap(c.cast<wide>(), 4), 3);
    wides const q = softmax(s.cast<wide>(), 2);
    auto const n = static_cast<wide>(size.rows);
    double const loss =
        static_cast<double>((p.array() * (p.array().log() - q.array().log())).sum() / n);
    wides const slope = (q - p) / (2 * n);
    auto const check = [&](auto const& policy, auto const& teacher, auto const& student,
                           double bound) {
      using S = typename std::remove_cvref_t<decltype(student)>::Scalar;
      matrix<S> g(size.rows, size.cols);
      double const value =
          divot::value_and_gradient(policy, divot::kl{}, teacher, divot::logits(student, 2), g);
      CHECK(std::abs(value - loss) <= bound * loss + 1e-15);
      CHECK(distance(g, slope) <= bound);
      matrix<S> own = student;
      divot::gradient(policy, divot::kl{}, teacher, divot::logits(own, 2), own);
      CHECK(same_bits<S>(own, g));
    };
    matrix<double> const da = a.cast<double>(), db = b.cast<double>(), dc = c.cast<double>(),
                         ds = s.cast<double>();
    Eigen::MatrixXf const column_major = b;
    every_policy([&](auto const& policy) {
      check(policy,
            divot::mixture(divot::logits(da, 2), db, divot::logits(dc, 3).softcap(4), weights), ds,
            budget::transformed<double>);
      check(policy,
            divot::mixture(divot::logits(a, 2), column_major, divot::logits(c, 3).softcap(4),
                           std::vector<double>{.5, .2, .3}),
            s, budget::transformed<float>);
    });
  }
}

TEST_CASE("a mixture of one teacher is that teacher") {
  auto const t = normal<double>(54, 5, 40), s = normal<double>(55, 5, 40);
  matrix<double> g(5, 40), h(5, 40);
  double const a = divot::value_and_gradient(
      divot::jensen_shannon{}, divot::mixture(divot::logits(t, 2), std::array{1.}), s, g);
  double const b = divot::value_and_gradient(divot::jensen_shannon{}, divot::logits(t, 2), s, h);
  CHECK(a == doctest::Approx(b).epsilon(1e-13));
  CHECK(distance(g, h) <= budget::transformed<double>);
}

TEST_CASE("a teacher of weight 0 does not count") {
  auto const t = normal<double>(56, 5, 40), u = normal<double>(57, 5, 40),
             s = normal<double>(58, 5, 40);
  matrix<double> g(5, 40), h(5, 40);
  divot::gradient(divot::kl{}, divot::mixture(u, t, std::array{0., 1.}), s, g);
  divot::gradient(divot::kl{}, t, s, h);
  CHECK(distance(g, h) <= budget::transformed<double>);
}

TEST_CASE("probabilities too small for a number are mixed all the same") {
  // log p of class 2 is −1000 − log 2 to the left, −2000 to the right
  matrix<double> t(1, 3), u(1, 3), s(1, 3), g(1, 3);
  t << 0, -2, -1000;
  u << 0, 1, -2000;
  s << 0, 0, -1003;
  every_policy([&](auto const& policy) {
    // reverse KL's slope at class 2 is q (log q − log p − …): infinite if p were 0
    double const value = divot::value_and_gradient(policy, divot::reverse_kl{},
                                                   divot::mixture(t, u, std::array{.5, .5}), s, g);
    wides p = (softmax(t.cast<wide>(), 1) + softmax(u.cast<wide>(), 1)) / wide(2);
    wides const q = softmax(s.cast<wide>(), 1);
    wide want = 0;
    for (Index k = 0; k < 3; ++k) want += q(0, k) * std::log(q(0, k) / p(0, k));
    CHECK(value == doctest::Approx(static_cast<double>(want)).epsilon(1e-13));
    CHECK(g.allFinite());
  });
}

TEST_CASE("a class that one teacher lacks has the others' mass, and one that all lack none") {
  auto t = normal<double>(59, 4, 6), u = normal<double>(60, 4, 6);
  auto const s = normal<double>(61, 4, 6);
  t.col(1).setConstant(-inf);
  t.col(4).setConstant(-inf);
  u.col(4).setConstant(-inf);
  wides const p = wide(.25) * softmax(t.cast<wide>(), 1) + wide(.75) * softmax(u.cast<wide>(), 1);
  wides const q = softmax(s.cast<wide>(), 1);
  matrix<double> g(4, 6);
  every_policy([&](auto const& policy) {
    double const value = divot::value_and_gradient(
        policy, divot::kl{}, divot::mixture(t, u, std::array{.25, .75}), s, g);
    wide want = 0;
    for (Index i = 0; i < 4; ++i) {
      for (Index k = 0; k < 6; ++k) {
        if (p(i, k) > 0) want += p(i, k) * std::log(p(i, k) / q(i, k));
      }
    }
    CHECK(value == doctest::Approx(static_cast<double>(want / 4)).epsilon(1e-13));
    CHECK(distance(g, (q - p) / wide(4)) <= budget::transformed<double>);
  });
}

TEST_CASE("a mixture outlives the expressions it was made of") {
  auto const t = normal<float>(62, 3, 20), u = normal<float>(63, 3, 20),
             s = normal<float>(64, 3, 20);
  auto const teacher =
      divot::mixture(t + u, divot::logits(2 * u, 3), matrix<float>(t - u), std::vector{.2, .3, .5});
  matrix<float> const a = t + u, b = 2 * u, c = t - u;
  float const x = divot::value(divot::kl{}, teacher, s);
  float const y = divot::value(
      divot::kl{}, divot::mixture(a, divot::logits(b, 3), c, std::array{.2, .3, .5}), s);
  CHECK(x == y);
}

TEST_CASE("16-bit teachers and a double one may be mixed") {
  auto const t = normal<Eigen::half>(65, 3, 20);
  auto const u = normal<double>(66, 3, 20);
  auto const s = normal<float>(67, 3, 20);
  matrix<double> const wide_t = t.cast<double>(), wide_s = s.cast<double>();
  double const x = divot::value(divot::kl{}, divot::mixture(t, u, std::array{.5, .5}), s);
  double const y = divot::value(divot::kl{}, divot::mixture(wide_t, u, std::array{.5, .5}), wide_s);
  CHECK(x == y);
}
